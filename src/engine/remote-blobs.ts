import { createReadStream } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { systemCodeOf } from '../base/errors.ts';
import type { Finder } from '../cache/locations.ts';
import type { Known } from '../cache/remote/known.ts';
import { Queue } from '../cache/remote/queue.ts';
import type { Remote } from '../cache/remote/remote.ts';
import type { Location } from '../cache/store.ts';

/** Uploads at once: less than a bucket's requests, so that a step that waits for bytes does not wait for these. */
const uploadsMax = 6;
const newline = Buffer.from('\n');

/** Sends contents in the background. Only digests wait; bytes are read when it is their turn, wherever they lie then. */
export class BlobUploads {
  readonly queue = new Queue(uploadsMax);
  readonly #remote: Remote;
  readonly #known: Known;
  /** What was sent or is being sent, and whether the remote holds it. */
  readonly #sent = new Map<Digest, { readonly isThere: Promise<boolean>; readonly locations: Finder }>();
  bytes = 0;

  constructor(remote: Remote, known: Known) {
    this.#remote = remote;
    this.#known = known;
  }

  /** Whether nobody has to look any more if it is there. */
  isSettled(digest: Digest): boolean {
    return this.#sent.has(digest) || this.#isKnown(digest);
  }

  /** Sends a blob, once, unless it is known to be there. @returns whether it is there in the end; never throws. */
  send(digest: Digest, locations: Finder, { first = false } = {}): Promise<boolean> {
    const known = this.#sent.get(digest);
    if (known) return known.isThere;
    const isThere = this.#isKnown(digest) ? Promise.resolve(true) : this.#send(digest, locations, first);
    this.#sent.set(digest, { isThere, locations });
    return isThere;
  }

  /** Sends again what lay there already when it was sent, and then turned out to be something else. */
  async repair(): Promise<void> {
    const lost = [...this.#sent].filter(([digest]) => this.#remote.isLost(digest));
    await Promise.all(lost.map(([digest, { locations }]) => this.#send(digest, locations, false)));
  }

  #isKnown(digest: Digest): boolean {
    return this.#known.has('blob', digest) && !this.#remote.isLost(digest);
  }

  async #send(digest: Digest, locations: Finder, first: boolean): Promise<boolean> {
    let isThere = false;
    const work = async (): Promise<void> => {
      isThere = await this.#sendNow(digest, locations);
      if (isThere) this.#known.add('blob', digest);
    };
    await this.queue.add(work, { first });
    return isThere;
  }

  async #sendNow(digest: Digest, locations: Finder): Promise<boolean> {
    for (let isAgain = false; ; isAgain = true) {
      const location = locations.locate(digest);
      if (!location) return false;
      const bytes = location.reduce((sum, { length, addNewline }) => sum + length + (addNewline ? 1 : 0), 0);
      try {
        const isThere = await this.#remote.putBlob(digest, bytes, () => pieces(location));
        if (isThere) this.bytes += bytes;
        return isThere;
      } catch (error) {
        // Published meanwhile: it has moved to another place.
        if (isAgain || systemCodeOf(error) !== 'ENOENT') return false;
      }
    }
  }
}

/** Unlike `readPieces` it lets the build go on while the disk is read; that the bytes are those of the digest is seen by who sends them. */
async function* pieces(location: Location): AsyncGenerator<Uint8Array> {
  for (const { path, offset, length, addNewline } of location) {
    if (length > 0) yield* createReadStream(path, { start: offset, end: offset + length - 1, highWaterMark: 1024 * 1024 });
    if (addNewline) yield newline;
  }
}
