const newline = 10;

/** Bytes as they come, to lines. A line longer than `lineBytesMax` comes as its length only, so that memory stays bounded. */
export class LineSplitter {
  readonly #lineBytesMax: number;
  readonly #visit: (line: Buffer, bytes: number) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param visit gets each line without its newline, and its length; an over-long one comes as an empty buffer. */
  constructor(lineBytesMax: number, visit: (line: Buffer, bytes: number) => void) {
    this.#lineBytesMax = lineBytesMax;
    this.#visit = visit;
  }

  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.#add(bytes.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    this.#add(bytes.subarray(start));
  }

  /** A last line without newline counts. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
  }

  #add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#lineBytesMax) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  #emit(): void {
    const [only] = this.#pieces;
    const line = this.#pieces.length === 1 ? (only as Buffer) : Buffer.concat(this.#pieces);
    const bytes = this.#bytes;
    this.#pieces = [];
    this.#bytes = 0;
    this.#visit(line, bytes);
  }
}
