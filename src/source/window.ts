import { type OpenFile, readAt } from './open.ts';

/** A sliding view of a file: some bytes before the place that was read to, in one buffer that is filled again and again. */
export class Window {
  readonly file: OpenFile;
  readonly view: DataView;
  readonly #buffer: Buffer;
  readonly #readBytesMax: number;
  /** File offset of the buffer's first byte. */
  start = 0;
  #length = 0;

  /** @param readBytesMax how much is read at once, at most. */
  constructor(file: OpenFile, buffer: Buffer, readBytesMax: number) {
    this.file = file;
    this.#buffer = buffer;
    this.#readBytesMax = readBytesMax;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** File offset that was read to. */
  get end(): number {
    return this.start + this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Makes `at` the place to read from next, unless its bytes are here already. */
  seek(at: number): void {
    if (at >= this.start && at <= this.end) return;
    this.start = at;
    this.#length = 0;
  }

  /** Reads on. The bytes from `keepFrom` stay, so there has to be room for more than them. @returns false at the end of the file. */
  fill(keepFrom: number): boolean {
    if (this.#length === this.#buffer.length) this.#slide(keepFrom);
    const room = Math.min(this.#buffer.length - this.#length, this.#readBytesMax, this.file.size - this.end);
    const count = readAt(this.file, this.#buffer.subarray(this.#length, this.#length + room), this.end);
    this.#length += count;
    return count > 0;
  }

  /** The file's bytes `[from, to)`, from the buffer where they are in it, otherwise read once more through `spare`. */
  *pieces(from: number, to: number, spare: Uint8Array): Generator<Uint8Array> {
    if (from >= this.start && to <= this.end) {
      yield this.#buffer.subarray(from - this.start, to - this.start);
    } else yield* filePieces(this.file, { from, to }, spare);
  }

  #slide(keepFrom: number): void {
    const from = keepFrom - this.start;
    this.#buffer.copyWithin(0, from, this.#length);
    this.start += from;
    this.#length -= from;
  }
}

/** The file's bytes `[from, to)` read piece by piece into `spare`; each piece is good until the next is asked for. */
function* filePieces(file: OpenFile, range: { from: number; to: number }, spare: Uint8Array): Generator<Uint8Array> {
  for (let at = range.from; at < range.to; ) {
    const count = readAt(file, spare.subarray(0, Math.min(spare.length, range.to - at)), at);
    if (count === 0) return;
    yield spare.subarray(0, count);
    at += count;
  }
}
