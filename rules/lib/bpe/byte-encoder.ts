import { bytesOfToken, charOfByte } from './byte-alphabet.ts';
import type { ByteWords } from './byte-level.ts';
import type { BpeDefinition } from './definition.ts';
import type { Encoder } from './encoder.ts';
import { IdList } from './id-list.ts';
import { LongWords } from './long-words.ts';
import { PairMerger } from './merge.ts';
import { PairTable } from './pair-table.ts';
import type { ClassifiedText } from './scanners.ts';
import { writeUtf8 } from './text-bytes.ts';
import { classify } from './unicode-classes.ts';
import { assertNotTooLong, hashOf } from './word.ts';
import { type Word, WordCache } from './word-cache.ts';

/** Texts up to this long share one buffer; a longer one gets its own, which goes with it. */
const sharedUnitsMax = 1 << 20;

/** Byte-level BPE: words as a pattern cuts them, merged from their bytes. */
export class ByteEncoder implements Encoder {
  readonly list = new IdList();
  readonly #definition: BpeDefinition;
  readonly #words: ByteWords;
  readonly #merger: PairMerger;
  readonly #cache = new WordCache();
  readonly #idOfByte: Int32Array;
  readonly #word: Word = { units: new Uint16Array(0), start: 0, length: 0, hash: 0 };
  #shared: ClassifiedText = { units: new Uint16Array(0), classes: new Uint8Array(0) };
  #bytes: Uint8Array = new Uint8Array(0);
  readonly #long: LongWords;
  readonly #longestToken: number;
  /** Words of more than two windows are merged in windows. */
  readonly #windowBytes: number;

  constructor(definition: BpeDefinition & { words: ByteWords }, tokens: readonly (string | undefined)[]) {
    this.#definition = definition;
    this.#words = definition.words;
    this.#longestToken = tokens.reduce<number>((longest, token) => Math.max(longest, token?.length ?? 0), 1);
    const windowBytes = Math.max(4096, 8 * this.#longestToken);
    this.#windowBytes = windowBytes;
    // A character of a long word is a byte.
    this.#long = new LongWords({
      windowUnits: windowBytes,
      textOf: (id) => latin1(bytesOfToken(tokens[id] as string)),
      merge: (part) => {
        const ids = new Int32Array(part.length);
        return ids.subarray(0, this.#mergeBytes(Buffer.from(part, 'latin1'), ids));
      },
    });
    this.#merger = new PairMerger(new PairTable(definition.pairs));
    this.#idOfByte = Int32Array.from(charOfByte, (char) => definition.ids.get(char) as number);
  }

  add(text: string): void {
    const end = text.length;
    const read = this.#read(text);
    const { scan } = this.#words;
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
    assertNotTooLong(length);
    const { list } = this;
    list.reserve(3 * length);
    const word = this.#word;
    word.start = start;
    word.length = length;
    word.hash = hashOf(units, start, stop);
    const known = this.#cache.read(word, list.ids, list.count);
    if (known > 0) {
      list.count += known;
      return;
    }
    const from = list.count;
    this.#mergeWord(units, start, stop);
    this.#cache.write(word, list.ids, { from, count: list.count - from });
  }

  #mergeWord(units: Uint16Array, start: number, stop: number): void {
    const { list } = this;
    const size = this.#readBytes(units, start, stop);
    const whole = this.#definition.ignoreMerges ? this.#idOfWord(size) : undefined;
    if (whole !== undefined) {
      list.ids[list.count++] = whole;
    } else if (size <= 2 * this.#windowBytes) {
      list.count += this.#mergeBytes(this.#bytes.subarray(0, size), list.ids.subarray(list.count));
    } else {
      for (const id of this.#long.merge(latin1(this.#bytes.subarray(0, size)))) list.ids[list.count++] = id;
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
    return this.#definition.idOfWord(token);
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
