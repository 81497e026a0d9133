import { bar, type CharacterWords } from './characters.ts';
import type { BpeDefinition } from './definition.ts';
import type { Encoder } from './encoder.ts';
import { IdList } from './id-list.ts';
import { Junctions } from './junctions.ts';
import { LongWords } from './long-words.ts';
import { PairMerger } from './merge.ts';
import { PairTable } from './pair-table.ts';
import { writeUtf8 } from './text-bytes.ts';
import { assertNotTooLong } from './word.ts';
import { type Word, WordCache } from './word-cache.ts';

const sharedUnitsMax = 1 << 20;

/** BPE from characters with byte fallback. A stretch is cut wherever no merge can cross, and the words between are remembered. */
export class CharacterEncoder implements Encoder {
  readonly list = new IdList();
  readonly #definition: BpeDefinition;
  readonly #words: CharacterWords;
  readonly #junctions: Junctions;
  readonly #merger: PairMerger;
  readonly #cache = new WordCache();
  readonly #long: LongWords;
  readonly #word: Word = { units: new Uint16Array(0), start: 0, length: 0, hash: 0 };
  #shared = new Uint16Array(0);
  readonly #bytes = new Uint8Array(6);
  readonly #longestToken: number;
  readonly #windowUnits: number;
  /** Number of the bar if every one begins a word, else of no character. */
  readonly #wordStart: number;

  constructor(definition: BpeDefinition & { words: CharacterWords }, tokens: readonly (string | undefined)[]) {
    this.#definition = definition;
    this.#words = definition.words;
    this.#junctions = new Junctions(definition, tokens);
    this.#merger = new PairMerger(new PairTable(definition.pairs));
    this.#longestToken = tokens.reduce<number>((longest, token) => Math.max(longest, token?.length ?? 0), 1);
    this.#windowUnits = Math.max(2048, 8 * this.#longestToken);
    this.#wordStart = definition.words.splitsAtBars ? bar.charCodeAt(0) : -1;
    this.#long = new LongWords({
      windowUnits: this.#windowUnits,
      textOf: (id) => tokens[id] as string,
      merge: (part) => {
        const ids = new Int32Array(part.length);
        return ids.subarray(0, this.#mergeCharacters(unitsOf(part), ids));
      },
    });
  }

  add(stretch: string, isFirst: boolean): void {
    const text = this.#words.prepare(stretch, isFirst);
    const whole = this.#definition.ignoreMerges && text.length <= this.#longestToken ? this.#definition.idOfWord(text) : undefined;
    if (whole !== undefined) return this.list.push(whole);
    const units = this.#read(text);
    const end = text.length;
    const { numbers } = this.#junctions;
    this.#word.units = units;
    let start = 0;
    let before = 0;
    let hash = 0;
    for (let at = 0; at < end; ) {
      const unit = units[at] as number;
      const isPair = (unit & 0xfc00) === 0xd800;
      const number = numbers[isPair ? 0x1_0000 + ((unit & 0x3ff) << 10) + ((units[at + 1] as number) & 0x3ff) : unit] as number;
      if (at > start && (number === 0 || before === 0 || unit === this.#wordStart || !this.#junctions.join(before, number))) {
        this.#addWord(start, at, hash);
        start = at;
        hash = 0;
      }
      hash = Math.imul(hash ^ unit, 0x9e3779b1) ^ (hash >>> 15);
      if (isPair) hash = Math.imul(hash ^ (units[at + 1] as number), 0x9e3779b1) ^ (hash >>> 15);
      at += isPair ? 2 : 1;
      before = number;
    }
    if (end > start) this.#addWord(start, end, hash);
  }

  #read(text: string): Uint16Array {
    let units = this.#shared;
    if (units.length < text.length) {
      units = new Uint16Array(text.length > sharedUnitsMax ? text.length : Math.max(1024, 2 * text.length));
      if (text.length <= sharedUnitsMax) this.#shared = units;
    }
    Buffer.from(units.buffer).write(text, 'utf16le');
    return units;
  }

  #addWord(start: number, stop: number, hash: number): void {
    const { list } = this;
    const word = this.#word;
    const length = stop - start;
    assertNotTooLong(length);
    list.reserve(3 * length);
    word.start = start;
    word.length = length;
    word.hash = hash ^ (hash >>> 16);
    const known = this.#cache.read(word, list.ids, list.count);
    if (known > 0) {
      list.count += known;
      return;
    }
    const from = list.count;
    this.#mergeWord(word.units.subarray(start, stop));
    this.#cache.write(word, list.ids, { from, count: list.count - from });
  }

  #mergeWord(units: Uint16Array): void {
    const { list } = this;
    if (units.length <= 2 * this.#windowUnits) {
      list.count += this.#mergeCharacters(units, list.ids.subarray(list.count));
    } else {
      for (const id of this.#long.merge(textOf(units))) list.ids[list.count++] = id;
    }
  }

  /** Ids of a word: of one character that is no token, or of characters that are all tokens. */
  #mergeCharacters(units: Uint16Array, ids: Int32Array): number {
    const { numbers, ids: idOfNumber } = this.#junctions;
    let count = 0;
    for (let at = 0; at < units.length; at++) {
      const unit = units[at] as number;
      const isPair = (unit & 0xfc00) === 0xd800;
      const number = numbers[isPair ? 0x1_0000 + ((unit & 0x3ff) << 10) + ((units[++at] as number) & 0x3ff) : unit] as number;
      if (number === 0) return this.#writeBytes(units, ids);
      ids[count++] = idOfNumber[number] as number;
    }
    return this.#merger.merge(ids, count);
  }

  #writeBytes(units: Uint16Array, ids: Int32Array): number {
    const size = writeUtf8(units, this.#bytes);
    for (let at = 0; at < size; at++) ids[at] = this.#words.idOfByte[this.#bytes[at] as number] as number;
    return size;
  }
}

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  Buffer.from(units.buffer).write(text, 'utf16le');
  return units;
}

const textOf = (units: Uint16Array): string => Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le');
