import { assertObjectAddress, parseS3Address } from '../s3/address.ts';
import { Bucket, S3Error } from '../s3/bucket.ts';
import { networkTrouble, noBytes, type Opened, type Remote, type Resume, TransferError } from './fetch-remote.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Place {
  readonly address: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** The content that is wanted; without it whatever lies there. */
  readonly etag?: string | undefined;
  readonly version?: string | undefined;
  readonly env: Environment;
}

/** The caller watches for stalls; these hold while it can not see anything yet. */
const times = { connectMs: 20_000, stallMs: 120_000 };

/** Connections are kept for the next object. By environment, since that holds the keys. */
const buckets = new WeakMap<Environment, Map<string, Bucket>>();

function bucketOf(name: string, { endpoint, region, env }: S3Place): Bucket {
  const known = buckets.get(env) ?? new Map<string, Bucket>();
  buckets.set(env, known);
  const id = JSON.stringify([name, endpoint, region]);
  const bucket = known.get(id) ?? new Bucket({ address: `s3://${name}`, endpoint, region, env, times });
  known.set(id, bucket);
  return bucket;
}

/** One object behind `s3://bucket/key`; the key is taken as it stands, without decoding. */
export function s3Remote(place: S3Place): Remote {
  const { address, etag: wanted, version } = place;
  const { bucket: name, prefix: key } = parseS3Address(address);
  if (key === '') assertObjectAddress(address);
  const bucket = bucketOf(name, place);
  return {
    async open(resume, signal) {
      const known = resume?.seen.etag;
      const span = known === undefined || (wanted ?? known) !== known ? undefined : { from: resume?.from ?? 0, etag: known };
      try {
        const { etag, body, partial, ...about } = await bucket.open(key, {
          span,
          etag: wanted,
          version,
          checksum: span === undefined,
          signal,
        });
        return { from: partial && span ? span.from : 0, seen: { etag, ...about }, body: transferred(body) };
      } catch (error) {
        const status = error instanceof S3Error ? error.status : undefined;
        if (span && status === 416 && resume?.from === resume?.seen.bytesTotal) return rest(resume as Resume);
        if (wanted !== undefined && (status === 412 || status === 404)) throw changed(status, error);
        if (span && (status === 412 || status === 416)) return this.open(undefined, signal);
        throw transferError(error);
      }
    },
  };
}

const changed = (status: number, cause: unknown): TransferError =>
  new TransferError({
    message: status === 404 ? 'this object was removed since it was listed' : 'this object was replaced since it was listed',
    code: 'source-changed-remotely',
    again: false,
    hint: 'Run `dsbuild update` to take what lies there now.',
    cause,
  });

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
