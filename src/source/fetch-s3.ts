import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { publicAddress } from '../base/address.ts';
import { BuildError, messageOf } from '../base/errors.ts';
import { networkTrouble, noBytes, type Opened, type Remote, type Resume, statusTrouble, TransferError } from './fetch-remote.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Place {
  readonly address: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly env: Environment;
}

/** One object behind `s3://bucket/key`; the key is taken as it stands, without decoding. */
export function s3Remote(place: S3Place): Remote {
  const { bucket, key } = parse(place.address);
  let client: Promise<S3Client> | undefined;
  return {
    async open(resume, signal) {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      client ??= connect(place);
      const range = resume?.seen.etag === undefined ? {} : { Range: `bytes=${resume.from}-`, IfMatch: resume.seen.etag };
      try {
        const answer = await (await client).send(new GetObjectCommand({ Bucket: bucket, Key: key, ...range }), { abortSignal: signal });
        return opened(answer, { resume: 'Range' in range ? resume : undefined, signal });
      } catch (error) {
        if (!resume || !('Range' in range)) throw trouble(error, bucket);
        const status = statusOf(error);
        if (status === 416 && resume.from === resume.seen.bytesTotal) return { ...resume, body: noBytes() };
        if (status === 412 || status === 416) return this.open(undefined, signal);
        throw trouble(error, bucket);
      }
    },
  };
}

function parse(address: string): { bucket: string; key: string } {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9._-]+)\/(.+)$/is.exec(address) ?? [];
  if (bucket && key) return { bucket, key };
  throw new BuildError('bad-address', {
    message: 'an S3 address is s3://bucket/key',
    where: publicAddress(address),
    hint: 'Give keys and secrets in the environment or a profile, never in an address.',
  });
}

/** Retries and their pauses are the caller's: it can go on where a body was cut off, the SDK can not. */
async function connect({ endpoint, region, env }: S3Place): Promise<S3Client> {
  // Which Node the SDK's later versions want is no news for whoever builds a dataset.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const { S3Client } = await import('@aws-sdk/client-s3');
  const url = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const [accessKeyId, secretAccessKey, sessionToken] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']];
  return new S3Client({
    region: region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    maxAttempts: 1,
    followRegionRedirects: true,
    // The caller watches for stalls; these hold while it can not see anything yet.
    requestHandler: { connectionTimeout: 20_000, requestTimeout: 120_000, throwOnRequestTimeout: true },
    ...(url && { endpoint: url, forcePathStyle: true }),
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
  });
}

function opened(answer: GetObjectCommandOutput, { resume, signal }: { resume: Resume | undefined; signal: AbortSignal }): Opened {
  const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? answer.ContentLength;
  return {
    from: resume?.from ?? 0,
    seen: {
      ...(answer.ETag && { etag: answer.ETag }),
      ...(answer.LastModified && { lastModified: answer.LastModified.toUTCString() }),
      ...(answer.VersionId && answer.VersionId !== 'null' && { version: answer.VersionId }),
      ...(total !== undefined && { bytesTotal: Number(total) }),
    },
    body: bodyOf(answer.Body as Readable, signal),
  };
}

/** The SDK checks whole objects that carry a checksum, when all has been given already. */
async function* bodyOf(body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const stop = (): void => void body.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* body;
  } catch (error) {
    if (!/^checksum mismatch/i.test(messageOf(error))) throw networkTrouble(error);
    throw new TransferError({
      message: 'the bytes do not have the checksum that the server names',
      again: true,
      spoilt: true,
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;

const unknownKey = (): string => 'The server does not know the access key: check AWS_ACCESS_KEY_ID or the profile.';

const hints: Readonly<Record<string, (bucket: string) => string>> = {
  NoSuchBucket: (bucket) => `There is no bucket ${bucket} at this endpoint: check its name, \`endpoint\` and \`region\`.`,
  NoSuchKey: (bucket) => `There is no such object in ${bucket}: check the key, letter by letter.`,
  AccessDenied: (bucket) => `Your key may not read from ${bucket}: it needs s3:GetObject.`,
  InvalidAccessKeyId: unknownKey,
  // What versitygw says instead.
  XAdminUserNotFound: unknownKey,
  SignatureDoesNotMatch: () => 'The secret does not fit the access key: check AWS_SECRET_ACCESS_KEY or the profile.',
  ExpiredToken: () => 'The session has run out: sign in again.',
};

function trouble(error: unknown, bucket: string): TransferError {
  const name = (error as { name?: string } | null)?.name ?? '';
  if (/Credentials|TokenProvider/.test(name))
    return new TransferError({
      message: `no credentials for S3: ${messageOf(error)}`,
      again: false,
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or sign in with the aws program.',
      cause: error,
    });
  const status = statusOf(error);
  if (status === undefined || status < 300) return networkTrouble(error);
  const hint = hints[name]?.(bucket);
  return statusTrouble(status, { text: /^(Unknown|\w*Error)$/.test(name) ? undefined : name, ...(hint && { hint }) });
}
