import { messageOf } from '../base/errors.ts';
import { networkFault, passingStatus, retryAfterMs } from '../base/network.ts';

/**
 * What went wrong, for who has to decide: `denied` and `full` will not pass by themselves, `missing` is an object that is not there,
 * `wrong-bytes` bytes that are not those that were asked for or promised, `conflict` an object that others changed meanwhile.
 */
export type S3Kind = 'denied' | 'missing' | 'throttled' | 'timeout' | 'network' | 'wrong-bytes' | 'conflict' | 'full' | 'other';

export interface S3Fault {
  readonly kind: S3Kind;
  readonly message: string;
  /** Whether the same request may do better later. */
  readonly again: boolean;
  readonly status?: number;
  /** What the server asked for. */
  readonly pauseMs?: number;
  readonly hint?: string;
  /** Of the object with the wrong bytes: what it can be replaced by. */
  readonly etag?: string;
  readonly cause?: unknown;
}

/** The server, the network or the rights failed; trouble with this machine's disk is never one. No message holds a secret. */
export class S3Error extends Error {
  readonly kind: S3Kind;
  readonly fault: S3Fault;

  constructor(fault: S3Fault) {
    super(fault.message, { cause: fault.cause });
    this.name = 'S3Error';
    this.kind = fault.kind;
    this.fault = fault;
  }

  get status(): number | undefined {
    return this.fault.status;
  }
}

export const wrongBytes = (message: string, etag?: string): S3Error =>
  new S3Error({ kind: 'wrong-bytes', message, again: false, ...(etag !== undefined && { etag }) });

const pauseMsMax = 300_000;

const unknownKey = (): string => 'The server does not know the access key: check AWS_ACCESS_KEY_ID or the profile.';

const hints: Readonly<Record<string, (bucket: string) => string>> = {
  NoSuchBucket: (bucket) => `There is no bucket ${bucket} at this endpoint: check its name, \`endpoint\` and \`region\`.`,
  NoSuchKey: (bucket) => `There is no such object in ${bucket}: check the key, letter by letter.`,
  AccessDenied: (bucket) => `Your key may not do this in ${bucket}: reading needs s3:GetObject and s3:ListBucket, writing s3:PutObject.`,
  InvalidAccessKeyId: unknownKey,
  // What versitygw says instead.
  XAdminUserNotFound: unknownKey,
  SignatureDoesNotMatch: () => 'The secret does not fit the access key: check AWS_SECRET_ACCESS_KEY or the profile.',
  ExpiredToken: () => 'The session has run out: sign in again.',
};

/** Names that say more than their status. */
const kinds: Readonly<Record<string, S3Kind>> = {
  NoSuchKey: 'missing',
  NotFound: 'missing',
  NoSuchUpload: 'missing',
  XAdminUserNotFound: 'denied',
  ExpiredToken: 'denied',
  InvalidToken: 'denied',
  RequestTimeout: 'timeout',
  SlowDown: 'throttled',
  ServiceUnavailable: 'throttled',
  RequestLimitExceeded: 'throttled',
  XMinioServerNotInitialized: 'throttled',
  QuotaExceeded: 'full',
  XMinioStorageFull: 'full',
  XMinioAdminBucketQuotaExceeded: 'full',
  InsufficientStorage: 'full',
};

/** A clock is wrong only until the SDK has learned by how much, two writers are in each other's way only now, and a body arrived spoilt. */
const passingNames =
  /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|ConditionalRequestConflict|OperationAborted|RequestTimeout|BadDigest|XAmzContentChecksumMismatch|XAmzContentSHA256Mismatch)$/;

interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** What an error of the SDK means. */
export function s3Error(error: unknown, bucket: string): S3Error {
  if (error instanceof S3Error) return error;
  const { name = '', $metadata, $response } = (error ?? {}) as SdkError;
  if (/Credentials|TokenProvider/.test(name)) return noCredentials(error);
  if (/^checksum mismatch/i.test(messageOf(error)))
    return new S3Error({
      kind: 'wrong-bytes',
      message: 'the bytes do not have the checksum that the server names',
      again: true,
      cause: error,
    });
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status < 300) return noAnswer(error);
  const hint = hints[name]?.(bucket);
  const pauseMs = retryAfterMs($response?.headers?.['retry-after'], { now: Date.now(), msMax: pauseMsMax });
  const text = /^(Unknown|\w*Error)$/.test(name) ? '' : ` ${name}`;
  const kind = kindOf(name, status);
  return new S3Error({
    kind,
    message: `the server answered ${status}${text}`,
    again: kind !== 'full' && (passingStatus(status) || passingNames.test(name)),
    status,
    ...(pauseMs !== undefined && { pauseMs }),
    ...(hint && { hint }),
    cause: error,
  });
}

function kindOf(name: string, status: number): S3Kind {
  const known = kinds[name];
  if (known) return known;
  if (status === 401 || status === 403) return 'denied';
  if (status === 404 && name !== 'NoSuchBucket') return 'missing';
  if (status === 409 || status === 412) return 'conflict';
  if (status === 416) return 'wrong-bytes';
  if (status === 429) return 'throttled';
  return status === 507 ? 'full' : 'other';
}

const noCredentials = (cause: unknown): S3Error =>
  new S3Error({
    kind: 'denied',
    message: `no credentials for S3: ${messageOf(cause)}`,
    again: false,
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or sign in with the aws program.',
    cause,
  });

function noAnswer(error: unknown): S3Error {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new S3Error({ kind: 'timeout', message: error.message, again: true, cause: error });
  return new S3Error({ kind: 'network', ...networkFault(error), cause: error });
}
