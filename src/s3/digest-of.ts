import { createHasher, type Digest } from '../base/digest.ts';
import { S3Error } from './errors.ts';
import type { Requests } from './requests.ts';

/** An object as a listing showed it. */
export interface ToHash {
  /** With its prefix. */
  readonly key: string;
  readonly etag: string;
  readonly signal: AbortSignal | undefined;
  /** Told how many bytes have come, piece by piece. */
  readonly came: (bytes: number) => void;
}

/**
 * BLAKE3 of an object's bytes as they come: none are kept. It goes on where a body was cut.
 *
 * @throws {S3Error} `missing`; `conflict` when another object lies there by now; `wrong-bytes` when the server's own checksum says so.
 */
export function digestOf(requests: Requests, { key, etag, signal, came }: ToHash): Promise<Digest> {
  let hasher = createHasher();
  let done = 0;
  let total: number | undefined;
  const hash = (): Promise<Digest> =>
    requests.again({ signal }, async (tries) => {
      if (done === 0 || done !== total) {
        const object = await requests.open(key, { ...(done > 0 && { span: { from: done, etag } }), etag, signal });
        // Not every server gives a part when it is asked for one.
        if (!object.partial) [hasher, done] = [createHasher(), 0];
        total = object.bytesTotal;
        for await (const piece of object.body) {
          hasher.update(piece);
          done += piece.length;
          came(piece.length);
          tries.moved();
        }
      }
      if (total !== undefined && done < total)
        throw new S3Error({ kind: 'network', message: `${done} bytes came of ${total}`, again: true });
      return hasher.digest().toString('hex');
    });
  return requests.slots.run({ requests: 1, bytes: 0 }, hash);
}
