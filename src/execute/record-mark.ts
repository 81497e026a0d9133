import type { Digest } from '../base/digest.ts';

/** What a worker is at, as another thread sees it. */
export interface Standing {
  /** Differs whenever the worker has given a sign of life. */
  readonly signs: number;
  /** The step that it began last. */
  readonly job: number | undefined;
  /** The record that it works on; undefined between records. */
  readonly at: RecordAt | undefined;
}

export interface RecordAt {
  readonly part: Digest;
  /** Its line in the part that holds the bytes, counted from 0. */
  readonly record: number;
  readonly bytes: number;
}

const [signsAt, jobAt, recordAt, bytesAt] = [0, 1, 2, 3];
const wordCount = 4;
const digestBytes = 32;

/**
 * Where a step says which record it works on, in memory that two threads share: a worker that does not come back can not be asked.
 * One thread writes. Another may read words of two moments, but never of one that stands still.
 */
export class RecordMark {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #digest: Buffer;
  #part: Digest = '';
  #signs = 0;

  constructor(buffer = new SharedArrayBuffer(wordCount * 4 + digestBytes)) {
    this.buffer = buffer;
    this.#words = new Uint32Array(buffer, 0, wordCount);
    this.#digest = Buffer.from(buffer, wordCount * 4, digestBytes);
  }

  /** A step begins; it is at no record yet. */
  starts(job: number): void {
    this.#words[jobAt] = job + 1;
    this.ends();
  }

  /** Work on a record begins, and any that was begun before has ended. */
  begins(part: Digest, record: number, bytes: number): void {
    if (part !== this.#part) this.#names(part);
    this.#words[recordAt] = record + 1;
    this.#words[bytesAt] = bytes;
    this.alive();
  }

  /** No record is worked on until the next begins. */
  ends(): void {
    this.#words[recordAt] = 0;
    this.alive();
  }

  alive(): void {
    Atomics.store(this.#words, signsAt, ++this.#signs);
  }

  /** Does something, such as waiting for a disk, whose time is not that of a record. */
  aside<T>(work: () => T): T {
    const record = this.#words[recordAt] as number;
    if (record === 0) return work();
    this.ends();
    try {
      return work();
    } finally {
      this.#words[recordAt] = record;
      this.alive();
    }
  }

  read(): Standing {
    const signs = Atomics.load(this.#words, signsAt);
    const [, job = 0, record = 0, bytes = 0] = this.#words;
    const at = record === 0 ? undefined : { part: this.#digest.toString('hex'), record: record - 1, bytes };
    return { signs, job: job === 0 ? undefined : job - 1, at };
  }

  #names(part: Digest): void {
    this.#digest.write(part, 'hex');
    this.#part = part;
  }
}
