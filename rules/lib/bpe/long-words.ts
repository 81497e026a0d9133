import { mergeLongWord } from '../tokenizer-words.ts';

export interface LongWordsSetup {
  /** Ids of a part of a word. */
  merge(part: string): Iterable<number>;
  /** The text of a token, in the same spelling as the word: the texts of a word's tokens make it up. */
  textOf(id: number): string;
  /** Several times the longest token. */
  windowUnits: number;
}

/** Merges words of many kilobytes window by window: see `mergeLongWord`. */
export class LongWords {
  readonly #setup: LongWordsSetup;
  readonly #idOf = new Map<string, number>();
  readonly #textOf = new Map<number, string>();

  constructor(setup: LongWordsSetup) {
    this.#setup = setup;
  }

  merge(word: string): number[] {
    const tokens = mergeLongWord(word, { merge: (part) => this.#mergePart(part), windowUnits: this.#setup.windowUnits });
    return tokens.map((token) => this.#idOf.get(token) as number);
  }

  #mergePart(part: string): string[] {
    return Array.from(this.#setup.merge(part), (id) => this.#text(id));
  }

  #text(id: number): string {
    const known = this.#textOf.get(id);
    if (known !== undefined) return known;
    const text = this.#setup.textOf(id);
    this.#textOf.set(id, text);
    this.#idOf.set(text, id);
    return text;
  }
}
