import { codePoints } from './stats.ts';
import { englishStopWords } from './stop-words.ts';
import type { Tokenizer } from './tokenizer-contract.ts';

/** Which tokens are left out. */
export interface DropOptions {
  /** Tokens whose text, white space at its ends not counted, has fewer characters. */
  readonly charactersMin?: number;
  readonly special?: boolean;
  /** `true` for the English list. */
  readonly stopWords?: boolean | readonly string[];
}

/** Why a token is left out; its place in the list, counted from 1, is what a drop table holds. */
export const dropReasons = ['special', 'short', 'stopWord'] as const;
const [special, short, stopWord] = [1, 2, 3];

/** For each id 0 to keep it, or the reason to drop it. */
type DropTable = Uint8Array;

const tables = new WeakMap<Tokenizer, Map<string, DropTable>>();

/** The table of a tokenizer and options, made once in a process: 0.1 s for 50,000 tokens. */
export function dropTableOf(tokenizer: Tokenizer, options: DropOptions): DropTable {
  const known = tables.get(tokenizer) ?? new Map<string, DropTable>();
  tables.set(tokenizer, known);
  const { charactersMin = 0, special: dropsSpecial = false, stopWords = false } = options;
  const name = JSON.stringify([charactersMin, dropsSpecial, stopWords]);
  const table = known.get(name) ?? makeTable(tokenizer, options);
  known.set(name, table);
  return table;
}

/** Special tokens have no text: only `special` drops them. */
function makeTable(tokenizer: Tokenizer, options: DropOptions): DropTable {
  const { charactersMin = 0, special: dropsSpecial = false, stopWords = false } = options;
  const words = new Set(
    (stopWords === true ? englishStopWords : stopWords === false ? [] : stopWords).map((word) => word.trim().toLowerCase()),
  );
  const table = new Uint8Array(tokenizer.vocabularySize);
  const specials = new Set(tokenizer.specialTokens.map((token) => tokenizer.idOf(token)));
  const textOf = textReader(tokenizer);
  for (let id = 0; id < table.length; id++) {
    if (specials.has(id)) {
      table[id] = dropsSpecial ? special : 0;
      continue;
    }
    const text = textOf(id);
    if (codePoints(text) < charactersMin) table[id] = short;
    else if (words.has(text.toLowerCase())) table[id] = stopWord;
  }
  return table;
}

/** The text of single tokens as it stands within a text: decoders treat a first token otherwise (`##ing`, a leading space). */
function textReader(tokenizer: Tokenizer): (id: number) => string {
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecialTokens: false });
  const anchor = tokenizer.idOf('a');
  const before = anchor === undefined ? '' : decode([anchor]);
  return (id) => {
    const text = anchor === undefined ? decode([id]) : decode([anchor, id]);
    return (text.startsWith(before) ? text.slice(before.length) : decode([id])).trim();
  };
}

/** Leaves tokens out, text after text; its work array is shared by all of them. */
export class TokenDrops {
  readonly #table: DropTable;
  #kept = new Int32Array(1 << 12);

  constructor(table: DropTable) {
    this.#table = table;
  }

  /**
   * The ids that stay, as a view that the next call overwrites. `ids` stay as they are: an engine may give the same ones twice.
   *
   * @param dropped counts the others, at the place of their reason in `dropReasons`
   */
  apply(ids: Int32Array, dropped: Uint32Array): Int32Array {
    if (this.#kept.length < ids.length) this.#kept = new Int32Array(Math.max(ids.length, 2 * this.#kept.length));
    const [table, kept] = [this.#table, this.#kept];
    let count = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const reason = table[id] ?? 0;
      if (reason === 0) kept[count++] = id;
      else dropped[reason - 1] = (dropped[reason - 1] as number) + 1;
    }
    return kept.subarray(0, count);
  }
}
