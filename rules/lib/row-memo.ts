import { hash } from 'node:crypto';
import { BuildError } from '../../src/base/errors.ts';
import type { Part } from '../../src/rule/part.ts';
import type { EarlierRun, StepIo } from '../../src/rule/step.ts';

/** The output that holds a step's memo: a side part. */
export const memoOutput = 'memo';

/*
 * Bytes of a memo, all words 32 bits, little-endian: magic 'DSMM', version, records, 1 if the column of their numbers follows, then four words
 * for each record (the first 16 bytes of the SHA-256 of its line), then the numbers, unless they are 0, 1, 2 ...
 * SHA-256 because it must be cryptographic (who can make two lines collide gets the second one through the filter that judged the first), and
 * because of all such hashes Node's one-shot call costs least for a short line: 0.4 us for 100 bytes, 1 us for 1 KB.
 */
const magic = 0x4d4d5344;
const version = 1;
const headWords = 4;
const wordsOf = 4;
const hashBytes = 16;

/** Collects the hashes of the records that gave something, so that a later run of the step can take over what was made of them. */
export class RowMemo {
  #capacity = 1024;
  #words = new Uint32Array(headWords + wordsOf * this.#capacity);
  #bytes = Buffer.from(this.#words.buffer);
  #records = new Uint32Array(this.#capacity);
  #count = 0;

  /** Hashes a line. The hash is kept only if `keep` is called before the next line. */
  hash(line: Uint8Array): void {
    if (this.#count === this.#capacity) this.#grow();
    // As a text of one character a byte: a buffer for each hash would cost more than the hash.
    this.#bytes.write(hash('sha256', line, 'binary'), (headWords + wordsOf * this.#count) * 4, hashBytes, 'latin1');
  }

  /** The record that was hashed last is one that a later run may take over. */
  keep(record: number): void {
    this.#records[this.#count++] = record;
  }

  /** One word of the hash of the line that was hashed last. */
  word(i: number): number {
    return this.#words[headWords + wordsOf * this.#count + i] as number;
  }

  finish(): Uint8Array {
    const records = this.#records.subarray(0, this.#count);
    const numbered = records.some((record, i) => record !== i);
    this.#words.set([magic, version, this.#count, numbered ? 1 : 0]);
    const hashes = this.#bytes.subarray(0, (headWords + wordsOf * this.#count) * 4);
    return numbered ? Buffer.concat([hashes, Buffer.from(records.slice().buffer)]) : hashes;
  }

  #grow(): void {
    this.#capacity *= 2;
    const words = new Uint32Array(headWords + wordsOf * this.#capacity);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = Buffer.from(words.buffer);
    const records = new Uint32Array(this.#capacity);
    records.set(this.#records);
    this.#records = records;
  }
}

/** A memo as an earlier run left it. Its rows are numbered in their order; `recordAt` gives the record of one. */
class KnownRows {
  readonly #words: Uint32Array;
  readonly #records: Uint32Array | undefined;
  readonly #count: number;
  /** Row + 1 by hash, open addressing; made when the first row is not where it is looked for first. */
  #table: Uint32Array | undefined;
  #next = 0;

  constructor(bytes: Uint8Array) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const [seenMagic, seenVersion, count = 0, numbered = 0] = words;
    const length = headWords + wordsOf * count + (numbered === 1 ? count : 0);
    if (bytes.length % 4 !== 0 || seenMagic !== magic || seenVersion !== version || numbered > 1 || words.length !== length) {
      throw new BuildError('bad-part', { message: 'a row memo is damaged' });
    }
    this.#words = words.subarray(headWords, headWords + wordsOf * count);
    this.#records = numbered === 1 ? words.subarray(headWords + wordsOf * count) : undefined;
    this.#count = count;
  }

  /** The record whose line has the hash that `memo` made last, or -1. Most rows follow the one that was found before them. */
  find(memo: RowMemo): number {
    const row = this.#next < this.#count && this.#is(this.#next, memo) ? this.#next : this.#lookUp(memo);
    if (row < 0) return -1;
    this.#next = row + 1;
    return this.#records ? (this.#records[row] as number) : row;
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
    const at = row * wordsOf;
    for (let i = 0; i < wordsOf; i++) if (this.#words[at + i] !== memo.word(i)) return false;
    return true;
  }

  /** At most half full, so that a search is short. */
  #index(): Uint32Array {
    let size = 16;
    while (size < this.#count * 2) size *= 2;
    const table = new Uint32Array(size);
    for (let row = 0; row < this.#count; row++) {
      let slot = (this.#words[row * wordsOf] as number) & (size - 1);
      while (table[slot] !== 0) slot = (slot + 1) & (size - 1);
      table[slot] = row + 1;
    }
    return table;
  }
}

/** One record in so many that are known is worked on all the same, to find a step that is not pure. */
const checkedOf = 64;

/**
 * What earlier runs of a step made of records, nearest run first.
 * `T` is what a rule reads an earlier run's outputs into, to find there what was made of a record.
 */
export class Recall<T> {
  readonly #runs: readonly { readonly rows: KnownRows; readonly outcomes: T }[];
  /** Where `find` found the record: the earlier run, and its number there. */
  outcomes: T;
  record = -1;
  /** Whether the record that was found is to be worked on all the same, and compared. */
  isSample = false;

  private constructor(runs: readonly { rows: KnownRows; outcomes: T }[]) {
    this.#runs = runs;
    this.outcomes = (runs[0] as { outcomes: T }).outcomes;
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

  /** Whether an earlier run knows the line that `memo` hashed last. */
  find(memo: RowMemo): boolean {
    for (const { rows, outcomes } of this.#runs) {
      const record = rows.find(memo);
      if (record < 0) continue;
      this.outcomes = outcomes;
      this.record = record;
      this.isSample = memo.word(1) % checkedOf === 0;
      return true;
    }
    return false;
  }
}

/** @throws {BuildError} `bad-part` when the earlier run has not exactly one such part any more. */
export function onlyPart(run: EarlierRun, output: string): Part {
  const [part, ...more] = run[output] ?? [];
  if (part && more.length === 0) return part;
  throw new BuildError('bad-part', { message: `an earlier run has no "${output}"` });
}
