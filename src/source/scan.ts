import { type Cut, Cutter, cutSizeMax } from '../base/cut.ts';
import { recordHashAt, recordHashOfLong } from '../base/record-hash.ts';
import { type OpenFile, readAt } from './open.ts';
import { Window } from './window.ts';

const newline = 10;
const readBytesMax = 4 * 1024 * 1024;
const spareBytes = 1024 * 1024;

/** An undecided chunk of up to 2 MAX and a read. */
const windowBytes = (target: number): number => 2 * cutSizeMax(target) + Math.max(Math.min(readBytesMax, target), 4096);

/** The cut rule run over a file's records, from any offset that a chunk begins at. A last line without newline is a record like the others. */
export class ChunkScanner {
  readonly #file: OpenFile;
  readonly #target: number;
  readonly #window: Window;
  readonly #spare = Buffer.allocUnsafeSlow(spareBytes);
  #cutter: Cutter;
  /** Where the next chunk begins. */
  #chunkStart = 0;
  /** Where the record in hand begins. */
  #at = 0;
  #ended = false;

  constructor(file: OpenFile, target: number) {
    this.#file = file;
    this.#target = target;
    this.#window = new Window(file, Buffer.allocUnsafeSlow(Math.min(windowBytes(target), file.size + 1)), readBytesMax);
    this.#cutter = new Cutter(target);
  }

  /** The chunk that begins at `start`; `start` is 0, the end of a chunk, or the end of the file (no chunk). */
  next(start: number): Cut | undefined {
    if (start !== this.#chunkStart) this.#restart(start);
    while (!this.#cutter.ready && !this.#ended) this.#readRecords();
    const cut = this.#cutter.take() ?? this.#last();
    if (cut) this.#chunkStart = cut.end;
    return cut;
  }

  /** The bytes `[from, to)`; each piece is good until the next is asked for. */
  pieces(from: number, to: number): Iterable<Uint8Array> {
    return this.#window.pieces(from, to, this.#spare);
  }

  #restart(start: number): void {
    this.#chunkStart = start;
    this.#at = start;
    this.#ended = false;
    this.#cutter = new Cutter(this.#target, start);
    this.#window.seek(start);
  }

  #last(): Cut | undefined {
    const cut = this.#cutter.end();
    return cut && cut.end > this.#chunkStart ? cut : undefined;
  }

  /** Gives the cutter the records that the window holds whole until it has a cut; if there is none, reads on. */
  #readRecords(): void {
    const { bytes, start } = this.#window;
    let from = this.#at - start;
    for (let found = bytes.indexOf(newline, from); found >= 0; found = bytes.indexOf(newline, from)) {
      const ready = this.#cutter.push(found + 1 - from, recordHashAt(this.#window.view, from, found + 1));
      from = found + 1;
      if (ready) break;
    }
    this.#at = start + from;
    if (!this.#cutter.ready) this.#readOn();
  }

  /** Reads until the record in hand is whole. */
  #readOn(): void {
    for (;;) {
      const searched = this.#window.end;
      if (searched - this.#at > cutSizeMax(this.#target)) {
        this.#longRecord(searched);
        return;
      }
      if (!this.#window.fill(this.#chunkStart)) {
        this.#endOfFile();
        return;
      }
      if (this.#window.bytes.indexOf(newline, searched - this.#window.start) >= 0) return;
    }
  }

  /** A record that may not fit: its end is sought in the spare buffer, and its sample read by itself. */
  #longRecord(searched: number): void {
    const end = this.#findEnd(searched);
    const length = end - this.#at;
    const from = this.#at;
    const u = recordHashOfLong(length, (offset, bytes) => {
      const sample = Buffer.alloc(bytes);
      readAt(this.#file, sample, from + offset);
      return sample;
    });
    this.#cutter.push(length, u);
    this.#at = end;
    this.#window.seek(end);
  }

  #findEnd(searched: number): number {
    let at = searched;
    while (at < this.#file.size) {
      const count = readAt(this.#file, this.#spare.subarray(0, Math.min(spareBytes, this.#file.size - at)), at);
      if (count === 0) break;
      const found = this.#spare.subarray(0, count).indexOf(newline);
      if (found >= 0) return at + found + 1;
      at += count;
    }
    return at;
  }

  #endOfFile(): void {
    const { start, end, view } = this.#window;
    if (this.#at < end) this.#cutter.push(end - this.#at, recordHashAt(view, this.#at - start, end - start));
    this.#at = end;
    this.#ended = true;
  }
}
