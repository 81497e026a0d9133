import { type FileHandle, open, rm } from 'node:fs/promises';
import { createHasher, type Digest } from '../base/digest.ts';
import { S3Error, wrongBytes } from './errors.ts';
import type { OpenObject, Requests } from './requests.ts';

/** What is to come, and the file where to. */
export interface Download {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

export interface DownloadTask {
  /** With its prefix. */
  readonly key: string;
  readonly to: Download;
  readonly signal: AbortSignal | undefined;
}

/** See `Bucket.download`. */
export async function downloadTo(requests: Requests, task: DownloadTask): Promise<boolean> {
  const { path } = task.to;
  const file = await open(path, 'w');
  let done = false;
  try {
    await fetchInto(file, requests, task);
    done = true;
    return true;
  } catch (error) {
    if (error instanceof S3Error && error.kind === 'missing') return false;
    throw error;
  } finally {
    await file.close();
    if (!done) await rm(path, { force: true });
  }
}

async function fetchInto(file: FileHandle, requests: Requests, task: DownloadTask): Promise<void> {
  try {
    await new Fetching(requests, file, task).run();
  } catch (error) {
    // Another object lies there by now, which may be the right one.
    if (!(error instanceof S3Error) || error.kind !== 'conflict') throw error;
    await file.truncate();
    await new Fetching(requests, file, task).run();
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

/** A part on its way. Its memory is its own until it is freed. */
interface Part {
  readonly bytes: Promise<Buffer>;
  /** When they are in the file; never for the last part, which waits for the digest. */
  readonly written: Promise<void> | undefined;
  free(): Promise<void>;
}

/** One content of an object on its way: parts come side by side, and are hashed in order. */
class Fetching {
  readonly #requests: Requests;
  readonly #file: FileHandle;
  readonly #key: string;
  readonly #to: Download;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #hasher = createHasher();
  #etag: string | undefined;
  #hashed = 0;
  /** Fresh memory costs more than what is done in it. */
  readonly #spare: Buffer[] = [];

  constructor(requests: Requests, file: FileHandle, { key, to, signal }: DownloadTask) {
    this.#requests = requests;
    this.#file = file;
    this.#key = key;
    this.#to = to;
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  async run(): Promise<void> {
    const { bytes } = this.#to;
    const { rangeBytes, partsAtOnceMax } = this.#requests.sizes;
    const partBytes = bytes > 2 * rangeBytes ? rangeBytes : 2 * rangeBytes;
    const parts: Part[] = [];
    try {
      for (let from = 0; from === 0 || from < bytes; from += partBytes) {
        if (parts.length === partsAtOnceMax) await this.#finishFirst(parts);
        parts.push(this.#begin(from, Math.min(from + partBytes, bytes)));
      }
      while (parts.length > 0) await this.#finishFirst(parts);
    } finally {
      this.#stop.abort();
      await Promise.all(parts.map((part) => part.free()));
    }
  }

  /** The last bytes are written only when all are known to be right. */
  async #finishFirst(parts: Part[]): Promise<void> {
    const [part] = parts as [Part];
    const from = this.#hashed;
    const bytes = await part.bytes;
    this.#hasher.update(bytes);
    this.#hashed += bytes.length;
    if (this.#hashed === this.#to.bytes) {
      if (this.#hasher.digest().toString('hex') !== this.#to.digest)
        throw wrongBytes('its BLAKE3 is another than was asked for', this.#etag);
      await writeAt(this.#file, bytes, from);
    }
    await part.written;
    parts.shift();
    this.#spare.push(bytes);
    await part.free();
  }

  #begin(from: number, to: number): Part {
    const { slots } = this.#requests;
    const taken = slots.take({ requests: 1, bytes: to - from });
    const bytes = taken.then(() => this.#fetch(from, to)).finally(() => slots.free({ requests: 1, bytes: 0 }));
    const written = to < this.#to.bytes ? bytes.then((all) => writeAt(this.#file, all, from)) : undefined;
    // What went wrong is looked at when it is the part's turn.
    const settled = Promise.allSettled([bytes, written]);
    return { bytes, written, free: () => settled.then(() => slots.free({ requests: 0, bytes: to - from })) };
  }

  /** Goes on where a body was cut, as long as it is the same object. */
  async #fetch(from: number, to: number): Promise<Buffer> {
    const bytes = (this.#spare.pop() ?? Buffer.allocUnsafeSlow(to - from)).subarray(0, to - from);
    let done = 0;
    await this.#requests.again({ signal: this.#signal }, async (tries) => {
      // It was cut behind its last byte.
      if (done > 0 && done === bytes.length) return;
      const body = await this.#open(from + done, to);
      for await (const piece of body) {
        if (done + piece.length > bytes.length) throw wrongBytes('more came than was asked for', this.#etag);
        bytes.set(piece, done);
        done += piece.length;
        tries.moved();
      }
      if (done < bytes.length) throw new S3Error({ kind: 'network', message: `${done} bytes came of ${bytes.length}`, again: true });
    });
    return bytes;
  }

  async #open(from: number, to: number): Promise<AsyncIterable<Uint8Array>> {
    const whole = from === 0 && to === this.#to.bytes;
    const span = whole ? undefined : { from, to, etag: this.#etag };
    const object = await this.#requests.open(this.#key, { span, signal: this.#signal });
    this.#check(object, whole);
    return object.body;
  }

  #check({ etag, bytesTotal, partial }: OpenObject, whole: boolean): void {
    this.#etag ??= etag;
    if (bytesTotal !== this.#to.bytes)
      throw wrongBytes(`it has ${bytesTotal ?? 'an unknown number of'} bytes, not ${this.#to.bytes}`, etag);
    if (partial === whole) throw wrongBytes('the server gave another part than was asked for', etag);
    if (etag !== this.#etag) throw new S3Error({ kind: 'conflict', message: 'it was replaced while it was fetched', again: false });
  }
}
