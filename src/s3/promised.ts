import { createHasher, type Digest, type Hasher } from '../base/digest.ts';
import { type S3Error, wrongBytes } from './errors.ts';

/** Gives bytes anew with each call. */
export type ByteSource = () => AsyncIterable<Uint8Array>;

const wrongSource = (): S3Error => wrongBytes('the bytes that were to be sent are not those that were promised');

/** Bytes as a source gives them, held against what was promised. */
export class Promised {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #digest: Digest;
  readonly #hasher: Hasher = createHasher();
  #rest: Uint8Array = new Uint8Array();
  #left: number;

  constructor(source: ByteSource, { bytes, digest }: { readonly bytes: number; readonly digest: Digest }) {
    this.#pieces = source()[Symbol.asyncIterator]();
    this.#digest = digest;
    this.#left = bytes;
  }

  get left(): number {
    return this.#left;
  }

  /** The next bytes, at most so many; behind the last the digest is known to be right. `into` has that length. */
  async read(bytesMax: number, into = Buffer.allocUnsafeSlow(Math.min(bytesMax, this.#left))): Promise<Buffer<ArrayBuffer>> {
    const part = into.subarray(0, this.#left);
    for (let filled = 0; filled < part.length; ) {
      const piece = await this.#next();
      if (!piece) throw wrongSource();
      const taken = piece.subarray(0, part.length - filled);
      part.set(taken, filled);
      filled += taken.length;
      this.#rest = piece.subarray(taken.length);
    }
    this.#hasher.update(part);
    this.#left -= part.length;
    if (this.#left === 0) await this.#check();
    return part;
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#rest.length > 0) return this.#rest;
    for (;;) {
      const { done, value } = await this.#pieces.next();
      if (done) return undefined;
      if (value.length > 0) return value;
    }
  }

  async #check(): Promise<void> {
    if ((await this.#next()) || this.#hasher.digest().toString('hex') !== this.#digest) throw wrongSource();
  }

  /** Nothing more is wanted: the source may close its file. */
  async end(): Promise<void> {
    await this.#pieces.return?.();
  }
}

/** All that a source gives, in memory, if it is what was promised. */
export async function collect(source: ByteSource, what: { readonly bytes: number; readonly digest: Digest }): Promise<Buffer> {
  const promised = new Promised(source, what);
  try {
    return await promised.read(what.bytes);
  } finally {
    await promised.end();
  }
}
