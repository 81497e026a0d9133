import { type FileHandle, open, rm } from 'node:fs/promises';
import { createHasher, type Digest } from '../base/digest.ts';
import { S3Error, wrongBytes } from './errors.ts';
import type { Requests } from './requests.ts';
import type { Tries } from './tries.ts';

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
  const file = await open(task.to.path, 'w');
  let done = false;
  try {
    await requests.slots.run({ requests: 1, bytes: 0 }, () => fetchInto(file, requests, task));
    done = true;
    return true;
  } catch (error) {
    if (error instanceof S3Error && error.kind === 'missing') return false;
    throw error;
  } finally {
    await file.close();
    if (!done) await rm(task.to.path, { force: true });
  }
}

/** Goes on where a body was cut, as long as it is the same object. */
async function fetchInto(file: FileHandle, requests: Requests, { key, to, signal }: DownloadTask): Promise<void> {
  let hasher = createHasher();
  let done = 0;
  let etag: string | undefined;
  const once = async (tries: Tries): Promise<void> => {
    const object = await requests.open(key, { signal, ...(done > 0 && { span: { from: done, etag } }) });
    if (done > 0 && !object.partial) {
      hasher = createHasher();
      done = 0;
    }
    etag = object.etag;
    if (object.bytesTotal !== undefined && object.bytesTotal !== to.bytes)
      throw wrongBytes(`it has ${object.bytesTotal} bytes, not ${to.bytes}`, etag);
    for await (const piece of object.body) {
      if (done + piece.length > to.bytes) throw wrongBytes(`it has more than ${to.bytes} bytes`, etag);
      hasher.update(piece);
      for (let written = 0; written < piece.length; )
        written += (await file.write(piece, written, piece.length - written, done + written)).bytesWritten;
      done += piece.length;
      tries.moved();
    }
    if (done < to.bytes) throw new S3Error({ kind: 'network', message: `${done} bytes came of ${to.bytes}`, again: true });
  };
  await requests.again(signal, once);
  if (hasher.digest().toString('hex') !== to.digest) throw wrongBytes('its BLAKE3 is another than was asked for', etag);
}
