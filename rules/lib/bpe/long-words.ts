import { mergeLongWord } from '../tokenizer-words.ts';
import { bytesOfToken } from './byte-alphabet.ts';

export interface LongWordsSetup {
  /** Spelling of each id in the byte alphabet. */
  tokens: readonly (string | undefined)[];
  /** Writes the ids of bytes to `ids` and returns how many. */
  merge(bytes: Uint8Array, ids: Int32Array): number;
  /** Several times the longest token. */
  windowBytes: number;
}

/** Merges words of many kilobytes window by window: see `mergeLongWord`, which works on strings; here a character of them is a byte. */
export class LongWords {
  readonly #setup: LongWordsSetup;
  readonly #idOf = new Map<string, number>();
  readonly #textOf = new Map<number, string>();

  constructor(setup: LongWordsSetup) {
    this.#setup = setup;
  }

  /** Ids of the tokens of a word, given as its UTF-8. */
  merge(bytes: Uint8Array): number[] {
    const word = latin1(bytes);
    const tokens = mergeLongWord(word, { merge: (part) => this.#mergePart(part), windowUnits: this.#setup.windowBytes });
    return tokens.map((token) => this.#idOf.get(token) as number);
  }

  #mergePart(part: string): string[] {
    const ids = new Int32Array(part.length);
    const count = this.#setup.merge(Buffer.from(part, 'latin1'), ids);
    return Array.from(ids.subarray(0, count), (id) => this.#text(id));
  }

  #text(id: number): string {
    const known = this.#textOf.get(id);
    if (known !== undefined) return known;
    const text = latin1(bytesOfToken(this.#setup.tokens[id] as string));
    this.#textOf.set(id, text);
    this.#idOf.set(text, id);
    return text;
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
