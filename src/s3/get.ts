import { wrongBytes } from './errors.ts';
import type { Requests } from './requests.ts';

export interface Got {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface Getting {
  /** With its prefix. */
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  readonly bytesMax: number;
}

/** One try for an object that fits into memory. @throws {S3Error} `wrong-bytes` if it does not. */
export async function getWhole(requests: Requests, { key, signal, bytesMax }: Getting): Promise<Got> {
  const { etag, bytesTotal = 0, body } = await requests.open(key, { signal });
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (Math.max(bytes, bytesTotal) > bytesMax) throw wrongBytes(`it has more than ${bytesMax} bytes`, etag);
    pieces.push(piece);
  }
  return { bytes: Buffer.concat(pieces), etag };
}
