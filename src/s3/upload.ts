import type { Digest } from '../base/digest.ts';
import { checksumOf } from './checksum.ts';
import { type Condition, conditionFailed, headersOf } from './condition.ts';
import { digestName, headOf, type ObjectAt } from './head.ts';
import { type ByteSource, Promised } from './promised.ts';
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
  readonly source: ByteSource;
  readonly how: Upload;
}

/** See `Bucket.write`. */
export async function uploadParts(requests: Requests, task: UploadTask): Promise<string | undefined> {
  const { key, how } = task;
  const { condition, signal } = how;
  const at = { Bucket: requests.bucket, Key: key };
  const about = { ...at, ChecksumAlgorithm: 'CRC32' as const, Metadata: { [digestName]: how.digest } };
  const { UploadId } = await requests.call({ signal }, ({ client, sdk }, sent) =>
    client.send(new sdk.CreateMultipartUploadCommand(about), sent),
  );
  const begun = { ...at, UploadId };
  try {
    return await complete(requests, how, { begun, parts: await sendParts(requests, task, begun) });
  } catch (error) {
    const there = conditionFailed(error) ? await headOf(requests, at, signal) : undefined;
    if (there?.digest === how.digest) return there.etag;
    await takeBack(requests, begun);
    if (condition !== 'any' && conditionFailed(error)) return undefined;
    throw error;
  }
}

interface Begun extends ObjectAt {
  readonly UploadId: string | undefined;
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumCRC32: string;
}

/** S3 takes no more. */
const partsMax = 10_000;

/** Reads part after part while earlier ones are on their way, as far as there is room for them in memory. */
async function sendParts(requests: Requests, { source, how }: UploadTask, begun: Begun): Promise<SentPart[]> {
  const partBytes = Math.max(requests.sizes.partBytes, Math.ceil(how.bytes / partsMax));
  const promised = new Promised(source, how);
  const parts: Promise<SentPart>[] = [];
  // Fresh memory costs more than what is done in it.
  const spare: Buffer<ArrayBuffer>[] = [];
  const ending = new Ending(requests.signalOf(how));
  try {
    while (promised.left > 0) {
      await parts.at(-requests.sizes.partsAtOnceMax);
      ending.throwIfBegun();
      const load = { requests: 1, bytes: Math.min(partBytes, promised.left) };
      await requests.slots.take(load);
      const PartNumber = parts.length + 1;
      const read = promised.read(partBytes, spare.pop());
      const sent = read.then(async (Body) => {
        const part = await sendPart(requests, { ...begun, PartNumber, Body }, ending.signal);
        spare.push(Body);
        return part;
      });
      parts.push(sent.finally(() => requests.slots.free(load)));
      parts.at(-1)?.catch((error: unknown) => ending.begin(error));
      await read;
    }
    return await Promise.all(parts);
  } finally {
    ending.begin(undefined);
    await Promise.allSettled(parts);
    ending.close();
    await promised.end();
  }
}

/**
 * When an upload fails or is aborted, what is under way may finish within a second: a server that is done with a part only after the
 * upload was taken back would keep it.
 */
class Ending {
  readonly #outer: AbortSignal | undefined;
  readonly #now = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #reason: unknown;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#abort, { once: true });
  }

  readonly #abort = (): void => this.begin(this.#outer?.reason);

  /** For what is under way. */
  get signal(): AbortSignal {
    return this.#now.signal;
  }

  /** Only the first has a say. */
  begin(reason: unknown): void {
    if (this.#timer) return;
    this.#reason = reason;
    this.#timer = setTimeout(() => this.#now.abort(reason), 1000);
  }

  throwIfBegun(): void {
    this.#outer?.throwIfAborted();
    if (this.#timer) throw this.#reason;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}

async function sendPart(
  requests: Requests,
  part: Begun & { readonly PartNumber: number; readonly Body: Buffer },
  signal: AbortSignal,
): Promise<SentPart> {
  const options = { signal, detached: true };
  const ChecksumCRC32 = checksumOf(part.Body);
  const { ETag } = await requests.again(options, () =>
    requests.send(options, ({ client, sdk }, sent) => client.send(new sdk.UploadPartCommand({ ...part, ChecksumCRC32 }), sent)),
  );
  requests.counters.bytesOut += part.Body.length;
  return { PartNumber: part.PartNumber, ETag, ChecksumCRC32 };
}

/** Some servers copy all parts before they answer. */
const assembledBytesPerSecond = 32 * 1024 * 1024;

async function complete(
  requests: Requests,
  { bytes, condition, signal }: Upload,
  { begun, parts }: { readonly begun: Begun; readonly parts: SentPart[] },
): Promise<string> {
  const whole = { ...begun, MultipartUpload: { Parts: parts }, ...headersOf(condition) };
  const { ETag = '' } = await requests.call({ signal, moreMs: (bytes / assembledBytesPerSecond) * 1000 }, ({ client, sdk }, sent) =>
    client.send(new sdk.CompleteMultipartUploadCommand(whole), sent),
  );
  return ETag;
}

/** Parts of an upload that is never completed cost money. What can not be taken back now is left to the gc. */
async function takeBack(requests: Requests, begun: Begun): Promise<void> {
  const options = { signal: AbortSignal.timeout(3000), detached: true };
  await requests.call(options, ({ client, sdk }, sent) => client.send(new sdk.AbortMultipartUploadCommand(begun), sent)).catch(() => {});
}
