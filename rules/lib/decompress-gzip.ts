import { createGunzip } from 'node:zlib';
import { messageOf, systemCodeOf } from '../../src/base/errors.ts';
import { ByteReader, corrupt, type Pieces, truncated } from './byte-reader.ts';

/** zlib answers in pieces of this size; with Node's default of 16 KiB it is three times slower. */
const answerBytes = 1024 * 1024;
/** zlib is fed this much at a time: its answers to one piece are held in memory, up to 1032 times as much. */
const feedBytes = 32 * 1024;

/** See `decompress`. Format: RFC 1952. */
export async function* gunzip(pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader('gzip', pieces);
  const unzip = new Unzip();
  try {
    while (!unzip.ended) {
      const piece = await reader.next(feedBytes);
      await (piece ? unzip.feed(piece) : unzip.end());
      yield* unzip.takeAnswers();
    }
    await expectPadding(reader, unzip.left);
  } catch (error) {
    throw explained(error, unzip.bytesUsed, reader.offset);
  } finally {
    unzip.close();
    await reader.close();
  }
}

/** zlib, one piece at a time, instead of a pipe: a pipe hides where zlib stopped reading. */
class Unzip {
  ended = false;
  /** What zlib did not take of the last piece. */
  left: Uint8Array = new Uint8Array();
  readonly #zlib = createGunzip({ chunkSize: answerBytes });
  #answers: Buffer[] = [];
  #failure: unknown;
  #wake = (): void => {};

  constructor() {
    this.#zlib.on('data', (answer: Buffer) => this.#answers.push(answer));
    this.#zlib.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    this.#zlib.on('error', (error) => this.#fail(error));
  }

  get bytesUsed(): number {
    return this.#zlib.bytesWritten;
  }

  async feed(piece: Uint8Array): Promise<void> {
    const before = this.bytesUsed;
    await this.#until(() => this.#zlib.write(piece, (error) => (error ? this.#fail(error) : this.#wake())));
    this.left = piece.subarray(this.bytesUsed - before);
  }

  end(): Promise<void> {
    return this.#until(() => this.#zlib.end());
  }

  takeAnswers(): Buffer[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  close(): void {
    this.#zlib.destroy();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  #until(start: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = () => (this.#failure ? reject(this.#failure) : resolve());
      start();
    });
  }
}

/**
 * zlib stops at a zero byte behind a member, because archives are padded with zeros. Anything but zeros there means that
 * members would be lost without a word.
 */
async function expectPadding(reader: ByteReader, left: Uint8Array): Promise<void> {
  for (let rest: Uint8Array | undefined = left; rest; rest = await reader.next()) {
    const at = rest.findIndex((byte) => byte !== 0);
    if (at >= 0) throw corrupt('gzip', { byte: reader.offset - rest.length + at, seen: 'what follows the last member is none' });
  }
}

function explained(error: unknown, byte: number, bytes: number): unknown {
  const code = systemCodeOf(error);
  if (code === 'Z_BUF_ERROR') return truncated('gzip', bytes);
  return code?.startsWith('Z_') ? corrupt('gzip', { byte, seen: messageOf(error), cause: error }) : error;
}
