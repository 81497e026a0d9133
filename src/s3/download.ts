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
    await new Fetching(requests, task).writeTo(file);
  } catch (error) {
    // Another object lies there by now, which may be the right one.
    if (!(error instanceof S3Error) || error.kind !== 'conflict') throw error;
    await file.truncate();
    await new Fetching(requests, task).writeTo(file);
  }
}

/** A part on its way. Its memory is its own until it is freed. */
interface Part {
  readonly bytes: Promise<Buffer>;
  free(): Promise<void>;
}

/** One content of an object on its way: parts come side by side, and are hashed and written in order. */
class Fetching {
  readonly #requests: Requests;
  readonly #key: string;
  readonly #to: Download;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #hasher = createHasher();
  #etag: string | undefined;
  #written = 0;

  constructor(requests: Requests, { key, to, signal }: DownloadTask) {
    this.#requests = requests;
    this.#key = key;
    this.#to = to;
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
  }

  async writeTo(file: FileHandle): Promise<void> {
    const { partBytes, heldBytesMax, requestsMax } = this.#requests.sizes;
    const aheadMax = Math.max(1, Math.min(Math.floor(heldBytesMax / partBytes), requestsMax));
    const parts: Part[] = [];
    try {
      for (let from = 0; from === 0 || from < this.#to.bytes; from += partBytes) {
        if (parts.length === aheadMax) await this.#writeFirst(file, parts);
        parts.push(this.#begin(from, Math.min(from + partBytes, this.#to.bytes)));
      }
      while (parts.length > 0) await this.#writeFirst(file, parts);
    } finally {
      this.#stop.abort();
      await Promise.all(parts.map((part) => part.free()));
    }
  }

  /** The last bytes are written only when all are known to be right. */
  async #writeFirst(file: FileHandle, parts: Part[]): Promise<void> {
    const [part] = parts as [Part];
    const bytes = await part.bytes;
    this.#hasher.update(bytes);
    const last = this.#written + bytes.length === this.#to.bytes;
    if (last && this.#hasher.digest().toString('hex') !== this.#to.digest)
      throw wrongBytes('its BLAKE3 is another than was asked for', this.#etag);
    for (let done = 0; done < bytes.length; )
      done += (await file.write(bytes, done, bytes.length - done, this.#written + done)).bytesWritten;
    this.#written += bytes.length;
    parts.shift();
    await part.free();
  }

  #begin(from: number, to: number): Part {
    const { slots } = this.#requests;
    const taken = slots.take({ requests: 1, bytes: to - from });
    const bytes = taken.then(() => this.#fetch(from, to)).finally(() => slots.free({ requests: 1, bytes: 0 }));
    // Looked at when it is its turn.
    const settled = bytes.then(
      () => {},
      () => {},
    );
    return { bytes, free: () => settled.then(() => slots.free({ requests: 0, bytes: to - from })) };
  }

  /** Goes on where a body was cut, as long as it is the same object. */
  async #fetch(from: number, to: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(to - from);
    let done = 0;
    await this.#requests.again({ signal: this.#signal }, async (tries) => {
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
