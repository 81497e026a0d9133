import type { S3Client } from '@aws-sdk/client-s3';
import type { HttpTimes } from './http.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Place {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Default: with an endpoint. */
  readonly pathStyle?: boolean | undefined;
  readonly env: Environment;
}

export interface Connection {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
}

export interface Limits {
  readonly times: HttpTimes;
  readonly requestsMax: number;
}

/**
 * Credentials are the environment's that is given, else the SDK's usual chain (profiles, web identity, container and machine roles).
 * Retries and their pauses are the caller's: it can go on where a body was cut off, the SDK can not.
 */
export async function connect({ endpoint, region, pathStyle, env }: Place, { times, requestsMax }: Limits): Promise<Connection> {
  // Which Node the SDK's later versions want is no news for whoever builds a dataset.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const [sdk, { HttpHandler }] = await Promise.all([import('@aws-sdk/client-s3'), import('./http.ts')]);
  const url = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const [accessKeyId, secretAccessKey, sessionToken] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']];
  const client = new sdk.S3Client({
    region: region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1',
    maxAttempts: 1,
    // It would cost a connection of its own for each body of 2 MiB and more.
    expectContinueHeader: false,
    followRegionRedirects: true,
    // What is sent carries a CRC-32 that the server checks, and what comes is held against BLAKE3: more sums of every byte tell nothing new.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new HttpHandler(times, requestsMax),
    ...(url && { endpoint: url, forcePathStyle: pathStyle ?? true }),
    ...(!url && pathStyle !== undefined && { forcePathStyle: pathStyle }),
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
  });
  client.middlewareStack.add(unsignedBody, { step: 'build', name: 'unsignedBody' });
  return { sdk, client };
}

interface Built {
  readonly request: unknown;
}

/** Objects say what they are by BLAKE3: to sign the SHA-256 of each body, too, would be half the work of an upload. */
const unsignedBody =
  <Given extends Built, Result>(next: (given: Given) => Promise<Result>) =>
  (given: Given): Promise<Result> => {
    const { body, headers } = given.request as { body?: unknown; headers: Record<string, string> };
    if (body instanceof Uint8Array) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
    return next(given);
  };
