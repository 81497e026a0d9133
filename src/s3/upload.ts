import { createHasher, type Digest } from '../base/digest.ts';
import { type Condition, conditionFailed, headersOf, type Written } from './condition.ts';
import { S3Error, wrongBytes } from './errors.ts';
import type { Requests } from './requests.ts';

/** What will be sent, and when it may be written. */
export interface Upload {
  readonly bytes: number;
  readonly digest: Digest;
  readonly condition: Condition;
  readonly signal?: AbortSignal | undefined;
}

export interface UploadTask {
  /** With its prefix. */
  readonly key: string;
  readonly source: () => AsyncIterable<Uint8Array>;
  readonly how: Upload;
}

/** All that a source gives, if it is what was promised. */
export async function collect(source: () => AsyncIterable<Uint8Array>, { bytes, digest }: Upload): Promise<Buffer> {
  const all = Buffer.allocUnsafe(bytes);
  const hasher = createHasher();
  let done = 0;
  for await (const piece of source()) {
    if (done + piece.length > bytes) throw wrongSource();
    all.set(piece, done);
    done += piece.length;
    hasher.update(piece);
  }
  if (done !== bytes || hasher.digest().toString('hex') !== digest) throw wrongSource();
  return all;
}

const wrongSource = (): Error => wrongBytes('the bytes that were to be sent are not those that were promised');

/** Pieces of exactly `partBytes`, but for the last. */
async function* cut(source: AsyncIterable<Uint8Array>, partBytes: number): AsyncGenerator<Buffer, void> {
  let part = Buffer.allocUnsafe(partBytes);
  let filled = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const taken = Math.min(piece.length - at, partBytes - filled);
      part.set(piece.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < partBytes) continue;
      yield part;
      part = Buffer.allocUnsafe(partBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/** See `Bucket.upload`. */
export async function uploadParts(requests: Requests, task: UploadTask): Promise<Written> {
  const { key, how } = task;
  const { signal } = how;
  const at = { Bucket: requests.bucket, Key: key };
  if (how.condition === 'absent' && (await isThere(requests, at, signal))) return 'exists';
  const { UploadId } = await requests.again(signal, () =>
    requests.send(signal, ({ client, sdk }, to) => client.send(new sdk.CreateMultipartUploadCommand(at), to)),
  );
  const upload = { ...at, UploadId };
  try {
    const Parts = await sendParts(requests, task, upload);
    await requests.again(signal, () =>
      requests.send(signal, ({ client, sdk }, to) =>
        client.send(new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...headersOf(how.condition) }), to),
      ),
    );
    return 'written';
  } catch (error) {
    await requests.send(undefined, ({ client, sdk }, to) => client.send(new sdk.AbortMultipartUploadCommand(upload), to)).catch(() => {});
    if (how.condition !== 'any' && conditionFailed(error)) return 'exists';
    throw error;
  }
}

/** A large body is not sent for nothing. */
async function isThere(requests: Requests, at: { Bucket: string; Key: string }, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await requests.again(signal, () => requests.send(signal, ({ client, sdk }, to) => client.send(new sdk.HeadObjectCommand(at), to)));
    return true;
  } catch (error) {
    if (error instanceof S3Error && error.kind === 'missing') return false;
    throw error;
  }
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

async function sendParts(
  requests: Requests,
  { source, how }: UploadTask,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
): Promise<SentPart[]> {
  const hasher = createHasher();
  const sent: SentPart[] = [];
  let bytes = 0;
  for await (const part of cut(source(), requests.sizes.partBytes)) {
    hasher.update(part);
    bytes += part.length;
    const PartNumber = sent.length + 1;
    const { ETag } = await requests.slots.run({ requests: 1, bytes: part.length }, () =>
      requests.again(how.signal, () =>
        requests.send(how.signal, ({ client, sdk }, to) =>
          client.send(new sdk.UploadPartCommand({ ...upload, PartNumber, Body: part }), to),
        ),
      ),
    );
    requests.counters.bytesOut += part.length;
    sent.push({ PartNumber, ETag });
  }
  if (bytes !== how.bytes || hasher.digest().toString('hex') !== how.digest) throw wrongSource();
  return sent;
}
