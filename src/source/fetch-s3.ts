import { badS3Address, parseS3Address } from '../s3/address.ts';
import { Bucket, S3Error } from '../s3/bucket.ts';
import { networkTrouble, noBytes, type Opened, type Remote, type Resume, TransferError } from './fetch-remote.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Place {
  readonly address: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly env: Environment;
}

/** The caller watches for stalls; these hold while it can not see anything yet. */
const times = { connectMs: 20_000, stallMs: 120_000 };

/** One object behind `s3://bucket/key`; the key is taken as it stands, without decoding. */
export function s3Remote({ address, ...place }: S3Place): Remote {
  const { bucket: name, prefix: key } = parseS3Address(address);
  if (key === '') throw badS3Address(address, 's3://bucket/key');
  const bucket = new Bucket({ ...place, address: `s3://${name}`, times });
  return {
    async open(resume, signal) {
      const span = resume?.seen.etag === undefined ? undefined : { from: resume.from, etag: resume.seen.etag };
      try {
        const { etag, body, partial, ...about } = await bucket.open(key, { span, checksum: span === undefined, signal });
        return { from: partial && span ? span.from : 0, seen: { etag, ...about }, body: transferred(body) };
      } catch (error) {
        const status = error instanceof S3Error ? error.status : undefined;
        if (span && status === 416 && resume?.from === resume?.seen.bytesTotal) return rest(resume as Resume);
        if (span && (status === 412 || status === 416)) return this.open(undefined, signal);
        throw transferError(error);
      }
    },
  };
}

const rest = ({ from, seen }: Resume): Opened => ({ from, seen, body: noBytes() });

async function* transferred(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    throw transferError(error);
  }
}

function transferError(error: unknown): TransferError {
  // Else a signal's reason, which `fetchFile` knows better.
  if (!(error instanceof S3Error)) return networkTrouble(error);
  const { again, pauseMs, hint } = error.fault;
  return new TransferError({
    message: error.message,
    again,
    spoilt: error.kind === 'wrong-bytes',
    ...(pauseMs !== undefined && { pauseMs }),
    ...(hint && { hint }),
    cause: error,
  });
}
