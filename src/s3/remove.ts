import { S3Error, s3Error } from './errors.ts';
import type { Requests } from './requests.ts';

export interface Removal {
  /** With their prefix. */
  readonly keys: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** Characters that no XML can name, so no list of keys either. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
const notInXml = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

/** See `Bucket.remove`. */
export async function removeObjects(requests: Requests, { keys, signal }: Removal): Promise<void> {
  const named = keys.filter((key) => !notInXml.test(key)).map((Key) => ({ Key }));
  const batches = Array.from({ length: Math.ceil(named.length / 1000) }, (_, i) => named.slice(i * 1000, (i + 1) * 1000));
  const alone = keys.filter((key) => notInXml.test(key));
  await Promise.all([
    ...batches.map((batch) => removeBatch(requests, batch, signal)),
    ...alone.map((key) => removeOne(requests, key, signal)),
  ]);
}

async function removeBatch(requests: Requests, Objects: { Key: string }[], signal: AbortSignal | undefined): Promise<void> {
  const about = { Bucket: requests.bucket, Delete: { Objects, Quiet: true } };
  const { Errors = [] } = await requests.call({ signal }, ({ client, sdk }, sent) =>
    client.send(new sdk.DeleteObjectsCommand(about), sent),
  );
  const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
  if (first) throw notRemoved(first.Code ?? '', requests.bucket);
}

async function removeOne(requests: Requests, Key: string, signal: AbortSignal | undefined): Promise<void> {
  const about = { Bucket: requests.bucket, Key };
  try {
    await requests.call({ signal }, ({ client, sdk }, sent) => client.send(new sdk.DeleteObjectCommand(about), sent));
  } catch (error) {
    if (!(error instanceof S3Error) || error.kind !== 'missing') throw error;
  }
}

/** A request for many objects succeeds as a whole, and names those that it could not remove. */
const notRemoved = (name: string, bucket: string): S3Error => {
  const status = name === 'AccessDenied' ? 403 : 500;
  return s3Error(Object.assign(new Error('not removed'), { name, $metadata: { httpStatusCode: status } }), bucket);
};
