import { BuildError } from '../../src/base/errors.ts';

/** Bytes that come cut anywhere. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Reads pieces by length, and knows at which byte it is. */
export class ByteReader {
  /** Bytes taken so far. */
  offset = 0;
  readonly #format: string;
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(format: string, pieces: Pieces) {
    this.#format = format;
    this.#source = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  }

  /** What is left of the present piece, or the next one, at most `length` bytes of it; undefined at the end. Never empty. */
  async next(length = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    if (await this.atEnd()) return undefined;
    const cut = this.#piece.subarray(0, length);
    this.#piece = this.#piece.subarray(cut.length);
    this.offset += cut.length;
    return cut;
  }

  /** Exactly `length` bytes. @throws {BuildError} `bad-input` when there are fewer. */
  async take(length: number): Promise<Buffer> {
    const taken: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      const piece = await this.next(missing);
      if (!piece) throw truncated(this.#format, this.offset);
      taken.push(piece);
      missing -= piece.length;
    }
    const [only] = taken;
    return taken.length === 1 && only ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(taken, length);
  }

  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0; ) {
      const piece = await this.next(missing);
      if (!piece) throw truncated(this.#format, this.offset);
      missing -= piece.length;
    }
  }

  async atEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return true;
      this.#piece = value;
    }
    return false;
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

export function truncated(format: string, byte: number): BuildError {
  return new BuildError('bad-input', {
    message: `the ${format} data is truncated: it ends at compressed byte ${byte}, in the middle of its contents`,
    hint: 'Copy or download the file again.',
  });
}

/** Data that can not be unpacked: what was seen, at or soon after which compressed byte. */
export function corrupt(format: string, at: { byte: number; seen: string; cause?: unknown }): BuildError {
  return new BuildError('bad-input', {
    message: `the ${format} data is corrupt near compressed byte ${at.byte}: ${at.seen}`,
    hint: `${at.byte === 0 ? `If it is not ${format} at all, give it the name of what it is; else copy` : 'Copy'} or download the file again.`,
    cause: at.cause,
  });
}
