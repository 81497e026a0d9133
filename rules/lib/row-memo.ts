import { BuildError } from '../../src/base/errors.ts';
import { byCodeUnit } from '../../src/base/names.ts';
import type { Part } from '../../src/rule/part.ts';
import { decodeMemo, memoHashWords, memoMagic, memoOutput, memoVersion } from '../../src/rule/row-memo.ts';
import type { EarlierRun, StepIo } from '../../src/rule/step.ts';

const hashBytes = 16;

/** What a record adds to a step's counters. */
export type RowCounts = Readonly<Record<string, number>>;

/** Collects the hashes of the records that gave something, so that a later run of the step can take over what was made of them. */
export class RowMemo {
  /** Not imported at the top: that would load Node's cryptography into every build, also into one that has nothing to do. */
  readonly #hash = process.getBuiltinModule('node:crypto').hash;
  #capacity = 1024;
  #words = new Uint32Array(memoHashWords * this.#capacity);
  #bytes = Buffer.from(this.#words.buffer);
  #records = new Uint32Array(this.#capacity);
  readonly #counts = new Map<string, Uint32Array>();
  #count = 0;

  /** Hashes a line. The hash is kept only if `keep` is called before the next line. */
  hash(line: Uint8Array): void {
    if (this.#count === this.#capacity) this.#grow();
    // As a text of one character a byte: a buffer for each hash would cost more than the hash.
    this.#bytes.write(this.#hash('sha256', line, 'binary'), memoHashWords * this.#count * 4, hashBytes, 'latin1');
  }

  /**
   * The record that was hashed last is one that a later run may take over.
   *
   * @param record the number by which that run finds what was made of it
   */
  keep(record: number, counts: RowCounts = {}): void {
    for (const [name, amount] of Object.entries(counts)) this.#column(name)[this.#count] = amount;
    this.#records[this.#count++] = record;
  }

  /** One word of the hash of the line that was hashed last. */
  word(i: number): number {
    return this.#words[memoHashWords * this.#count + i] as number;
  }

  finish(): Uint8Array {
    const records = this.#records.subarray(0, this.#count);
    const isNumbered = records.some((record, i) => record !== i);
    const names = [...this.#counts.keys()].sort(byCodeUnit);
    const columns = [...(isNumbered ? [records] : []), ...names.map((name) => this.#column(name).subarray(0, this.#count))];
    const nameWords = namesAsWords(names);
    const head = Uint32Array.of(memoMagic, memoVersion, this.#count, isNumbered ? 1 : 0, nameWords.length >> 2, 0, 0, 0);
    return Buffer.concat([bytesOf(head), nameWords, this.#bytes.subarray(0, memoHashWords * this.#count * 4), ...columns.map(bytesOf)]);
  }

  #column(name: string): Uint32Array {
    let column = this.#counts.get(name);
    if (!column) {
      column = new Uint32Array(this.#capacity);
      this.#counts.set(name, column);
    }
    return column;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#words = grown(this.#words);
    this.#bytes = Buffer.from(this.#words.buffer);
    this.#records = grown(this.#records);
    for (const [name, column] of this.#counts) this.#counts.set(name, grown(column));
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

function namesAsWords(names: readonly string[]): Buffer {
  const text = Buffer.from(names.length === 0 ? '' : JSON.stringify(names));
  return Buffer.concat([text, Buffer.alloc(-text.length & 3, ' ')]);
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(column.length * 2);
  longer.set(column);
  return longer;
}

/** A memo as an earlier run left it: its rows in their order. */
class KnownRows {
  readonly #words: Uint32Array;
  readonly #records: Uint32Array | undefined;
  readonly #counts: readonly (readonly [name: string, column: Uint32Array])[];
  readonly #count: number;
  /** Row + 1 by hash, open addressing; made when the first row is not where it is looked for first. */
  #table: Uint32Array | undefined;
  #next = 0;

  constructor(bytes: Buffer) {
    const { count, hashes, records, counts } = decodeMemo(bytes);
    this.#words = hashes;
    this.#records = records;
    this.#counts = counts;
    this.#count = count;
  }

  /** The row whose line has the hash that `memo` made last, or -1. Most rows follow the one that was found before them. */
  find(memo: RowMemo): number {
    const row = this.#next < this.#count && this.#is(this.#next, memo) ? this.#next : this.#lookUp(memo);
    if (row >= 0) this.#next = row + 1;
    return row;
  }

  recordOf(row: number): number {
    return this.#records ? (this.#records[row] as number) : row;
  }

  countsOf(row: number): RowCounts {
    const counts: Record<string, number> = {};
    for (const [name, column] of this.#counts) if (column[row] !== 0) counts[name] = column[row] as number;
    return counts;
  }

  #lookUp(memo: RowMemo): number {
    this.#table ??= this.#index();
    const mask = this.#table.length - 1;
    for (let slot = memo.word(0) & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#table[slot] as number) - 1;
      if (row < 0 || this.#is(row, memo)) return row;
    }
  }

  #is(row: number, memo: RowMemo): boolean {
    const at = row * memoHashWords;
    for (let i = 0; i < memoHashWords; i++) if (this.#words[at + i] !== memo.word(i)) return false;
    return true;
  }

  /** At most half full, so that a search is short. */
  #index(): Uint32Array {
    let size = 16;
    while (size < this.#count * 2) size *= 2;
    const table = new Uint32Array(size);
    for (let row = 0; row < this.#count; row++) {
      let slot = (this.#words[row * memoHashWords] as number) & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = row + 1;
    }
    return table;
  }
}

/** What an earlier run knows of a record. `T` is what a rule reads the outputs of a run into, to find there what was made of it. */
export interface KnownRow<T> {
  readonly outcomes: T;
  /** Its number in that run. */
  readonly record: number;
  readonly counts: RowCounts;
  /** Whether it is to be worked on all the same, and compared. */
  readonly isSample: boolean;
}

/** One record in so many that are known is worked on all the same, to find a step that is not pure. */
const checkedOf = 64;

/** What earlier runs of a step made of records, nearest run first. */
export class Recall<T> {
  readonly #runs: readonly { readonly rows: KnownRows; readonly outcomes: T }[];

  private constructor(runs: readonly { rows: KnownRows; outcomes: T }[]) {
    this.#runs = runs;
  }

  /** Undefined when no earlier run is there whose memo and outputs can be read; bytes that are gone or damaged are no error. */
  static of<T>(io: StepIo, read: (run: EarlierRun) => T): Recall<T> | undefined {
    const runs = io.earlier.flatMap((run) => {
      try {
        return [{ rows: new KnownRows(io.bytes(onlyPart(run, memoOutput))), outcomes: read(run) }];
      } catch (error) {
        if (error instanceof BuildError) return [];
        throw error;
      }
    });
    return runs.length === 0 ? undefined : new Recall(runs);
  }

  /** What is known of the line that `memo` hashed last. */
  find(memo: RowMemo): KnownRow<T> | undefined {
    for (const { rows, outcomes } of this.#runs) {
      const row = rows.find(memo);
      if (row < 0) continue;
      return { outcomes, record: rows.recordOf(row), counts: rows.countsOf(row), isSample: memo.word(1) % checkedOf === 0 };
    }
    return undefined;
  }
}

/** @throws {BuildError} `bad-part` when the earlier run has not exactly one such part any more. */
export function onlyPart(run: EarlierRun, output: string): Part {
  const [part, ...more] = run[output] ?? [];
  if (part && more.length === 0) return part;
  throw new BuildError('bad-part', { message: `an earlier run has no "${output}"` });
}
