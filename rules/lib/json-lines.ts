import { limits } from '../../src/base/limits.ts';
import type { DocumentRow } from '../../src/rule/documents.ts';

const newline = 10;
const carriageReturn = 13;
const bom = Buffer.from([0xef, 0xbb, 0xbf]);
export const newlineByte = Buffer.from('\n');

/** A line of a stream. One that is too long was counted, but not kept. */
export interface StreamLine {
  /** Counted from 0, blank lines included. */
  readonly index: number;
  readonly bytes: number;
  readonly line: Buffer | undefined;
}

const startsWithBom = (line: Buffer): boolean => line.length >= 3 && line[0] === 0xef && line.subarray(0, 3).equals(bom);

/** A record's bytes without the byte order mark that its file began with: files are joined, here in a chunk, elsewhere by `cat`. */
export const withoutBom = (line: Buffer): Buffer => (startsWithBom(line) ? line.subarray(bom.length) : line);

/** A record's bytes without the carriage return that a file from Windows puts behind each. */
export const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === carriageReturn ? line.subarray(0, -1) : line);

/**
 * Finds the lines in bytes that come cut anywhere, as `linesOf` does in a buffer: without newlines, without a byte order mark at the start, and
 * with a last line that lacks its newline. Holds one line at most, and never more than `lineBytesMax` of it.
 */
export class LineSplitter {
  readonly #lineBytesMax: number;
  #index = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(lineBytesMax: number = limits.recordBytesMax) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** The lines that end in `piece`. Their bytes are good until the next piece is asked for. */
  *split(piece: Uint8Array): Generator<StreamLine> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield this.#take(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#hold(bytes.subarray(start));
  }

  /** What came after the last newline. */
  *end(): Generator<StreamLine> {
    const last = this.#take(Buffer.alloc(0));
    if (last.bytes > 0) yield last;
  }

  #take(rest: Buffer): StreamLine {
    const index = this.#index++;
    const whole = this.#heldBytes + rest.length;
    const isKept = whole <= this.#lineBytesMax + bom.length;
    const line = isKept ? (this.#held.length === 0 ? rest : Buffer.concat([...this.#held, rest])) : undefined;
    this.#held = [];
    this.#heldBytes = 0;
    if (index > 0 || !line || !startsWithBom(line)) return { index, bytes: whole, line };
    return { index, bytes: whole - bom.length, line: line.subarray(bom.length) };
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#heldBytes += rest.length;
    // Copied: whoever gave the piece may use its buffer again.
    if (this.#heldBytes <= this.#lineBytesMax + bom.length) this.#held.push(Buffer.from(rest));
    else this.#held = [];
  }
}

/**
 * The lines of rows, without their carriage returns, as few runs of bytes: rows that lie side by side in a part are one run.
 * A run lacks its last newline.
 */
export function* runsOf(rows: Iterable<DocumentRow>): Generator<Buffer> {
  let run: Buffer | undefined;
  for (const row of rows) {
    const line = withoutReturn(row.line);
    if (run && run.buffer === line.buffer && run.byteOffset + run.length + 1 === line.byteOffset) {
      run = Buffer.from(run.buffer, run.byteOffset, run.length + 1 + line.length);
      continue;
    }
    if (run) yield run;
    run = line;
  }
  if (run) yield run;
}
