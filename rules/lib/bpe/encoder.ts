import { BuildError } from '../../../src/base/errors.ts';
import { charOfByte } from './byte-alphabet.ts';
import type { BpeDefinition } from './definition.ts';
import { LongWords } from './long-words.ts';
import { PairMerger } from './merge.ts';
import { PairTable } from './pair-table.ts';
import type { ClassifiedText } from './scanners.ts';
import { classify } from './unicode-classes.ts';
import { type Word, WordCache } from './word-cache.ts';

/** A longer word would take about a gigabyte. */
const wordUnitsMax = 8 * 1024 * 1024;
/** Texts up to this long share one buffer; a longer one gets its own, which goes with it. */
const sharedUnitsMax = 1 << 20;

/** Turns stretches of text without added tokens into ids. Single-threaded: work arrays are shared by all calls. */
export class Encoder {
  readonly #definition: BpeDefinition;
  readonly #merger: PairMerger;
  readonly #cache = new WordCache();
  readonly #idOfByte: Int32Array;
  readonly #word: Word = { units: new Uint16Array(0), start: 0, length: 0, hash: 0 };
  #shared: ClassifiedText = { units: new Uint16Array(0), classes: new Uint8Array(0) };
  #bytes: Uint8Array = new Uint8Array(0);
  #ids = new Int32Array(1 << 12);
  #count = 0;
  readonly #long: LongWords;
  readonly #longestToken: number;
  /** Words of more than two windows are merged in windows. */
  readonly #windowBytes: number;

  constructor(definition: BpeDefinition, tokens: readonly (string | undefined)[]) {
    this.#definition = definition;
    this.#longestToken = tokens.reduce<number>((longest, token) => Math.max(longest, token?.length ?? 0), 1);
    const windowBytes = Math.max(4096, 8 * this.#longestToken);
    this.#windowBytes = windowBytes;
    this.#long = new LongWords({ tokens, windowBytes, merge: (bytes, ids) => this.#mergeBytes(bytes, ids) });
    this.#merger = new PairMerger(new PairTable(definition.pairs));
    this.#idOfByte = Int32Array.from(charOfByte, (char) => definition.ids.get(char) as number);
  }

  /** Adds one id as it is. */
  push(id: number): void {
    this.#reserve(1);
    this.#ids[this.#count++] = id;
  }

  /** The ids added since the last call. */
  take(): Int32Array {
    const ids = this.#ids.slice(0, this.#count);
    this.#count = 0;
    if (this.#ids.length > sharedUnitsMax) this.#ids = new Int32Array(1 << 12);
    return ids;
  }

  /** Forgets what was added since the last `take`. */
  reset(): void {
    this.#count = 0;
  }

  /**
   * Adds the ids of a text.
   *
   * @param text well-formed
   * @throws {BuildError} `text-too-long` for a word of more than 8 Mi characters
   */
  add(text: string): void {
    const end = text.length;
    const read = this.#read(text);
    const { scan } = this.#definition;
    this.#word.units = read.units;
    for (let at = 0; at < end; ) {
      const stop = scan(read, at, end);
      this.#addWord(read.units, at, stop);
      at = stop;
    }
  }

  #read(text: string): ClassifiedText {
    let read = this.#shared;
    if (read.classes.length < text.length) {
      const units = text.length > sharedUnitsMax ? text.length : Math.max(1024, 2 * text.length);
      read = { units: new Uint16Array(units), classes: new Uint8Array(units) };
      if (text.length <= sharedUnitsMax) this.#shared = read;
    }
    Buffer.from(read.units.buffer).write(text, 'utf16le');
    classify(read.units, text.length, read.classes);
    return read;
  }

  #addWord(units: Uint16Array, start: number, stop: number): void {
    const length = stop - start;
    if (length > wordUnitsMax) throw tooLong(length);
    this.#reserve(3 * length);
    const word = this.#word;
    word.start = start;
    word.length = length;
    word.hash = hashOf(units, start, stop);
    const known = this.#cache.read(word, this.#ids, this.#count);
    if (known > 0) {
      this.#count += known;
      return;
    }
    const from = this.#count;
    this.#mergeWord(units, start, stop);
    this.#cache.write(word, this.#ids, { from, count: this.#count - from });
  }

  #mergeWord(units: Uint16Array, start: number, stop: number): void {
    const size = this.#readBytes(units, start, stop);
    const whole = this.#definition.ignoreMerges ? this.#idOfWord(size) : undefined;
    if (whole !== undefined) {
      this.#ids[this.#count++] = whole;
    } else if (size <= 2 * this.#windowBytes) {
      this.#count += this.#mergeBytes(this.#bytes.subarray(0, size), this.#ids.subarray(this.#count));
    } else {
      for (const id of this.#long.merge(this.#bytes.subarray(0, size))) this.#ids[this.#count++] = id;
    }
    if (this.#bytes.length > sharedUnitsMax) this.#bytes = new Uint8Array(0);
  }

  #mergeBytes(bytes: Uint8Array, ids: Int32Array): number {
    for (let at = 0; at < bytes.length; at++) ids[at] = this.#idOfByte[bytes[at] as number] as number;
    return this.#merger.merge(ids, bytes.length);
  }

  /** Writes a word's UTF-8 into the work array and returns its length. */
  #readBytes(units: Uint16Array, start: number, stop: number): number {
    const sizeMax = 3 * (stop - start);
    if (this.#bytes.length < sizeMax) this.#bytes = new Uint8Array(Math.max(256, sizeMax));
    return writeUtf8(units.subarray(start, stop), this.#bytes);
  }

  #idOfWord(size: number): number | undefined {
    if (size > this.#longestToken) return undefined;
    let token = '';
    for (let at = 0; at < size; at++) token += charOfByte[this.#bytes[at] as number];
    return this.#definition.ids.get(token);
  }

  #reserve(more: number): void {
    const wanted = this.#count + more;
    if (wanted <= this.#ids.length) return;
    const grown = new Int32Array(Math.max(wanted, this.#ids.length * 2));
    grown.set(this.#ids.subarray(0, this.#count));
    this.#ids = grown;
  }
}

function tooLong(units: number): BuildError {
  return new BuildError('text-too-long', {
    message: `a text has ${units.toLocaleString('en-US')} characters that are one word to this tokenizer; the limit is ${wordUnitsMax.toLocaleString('en-US')}`,
    hint: 'Split the record before `tokenize`, or drop it with a filter: such texts are mostly encoded binary data.',
  });
}

function hashOf(units: Uint16Array, start: number, stop: number): number {
  let hash = stop - start;
  for (let at = start; at < stop; at++) hash = Math.imul(hash ^ (units[at] as number), 0x9e3779b1) ^ (hash >>> 15);
  return hash ^ (hash >>> 16);
}

function writeUtf8(units: Uint16Array, bytes: Uint8Array): number {
  let size = 0;
  for (let at = 0; at < units.length; at++) {
    let code = units[at] as number;
    if (code < 0x80) {
      bytes[size++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[size++] = 0xc0 | (code >> 6);
    } else {
      if ((code & 0xf800) === 0xd800) {
        code = 0x1_0000 + ((code & 0x3ff) << 10) + ((units[++at] as number) & 0x3ff);
        bytes[size++] = 0xf0 | (code >> 18);
        bytes[size++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        bytes[size++] = 0xe0 | (code >> 12);
      }
      bytes[size++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[size++] = 0x80 | (code & 0x3f);
  }
  return size;
}
