import type { Digest } from '../base/digest.ts';

/** What a target holds. */
export type Kind = 'files' | 'documents' | 'tokens' | 'shards' | 'table' | 'index';

/**
 * How a part's bytes are to be read.
 * `lines`: JSONL, one record a line, perhaps unchecked; `view`: a selection of another part's records;
 * `tokens`: token ids per sample; `rows`: one encoded Parquet row group; `file`: bytes as a file holds them;
 * `side`: what a step leaves beside its output (lineage, a row memo), never emitted, so that it is in no collection.
 */
export type Form = 'lines' | 'view' | 'tokens' | 'rows' | 'file' | 'side';
/** In collections a form is its place in this list: only ever append. */
export const forms: readonly Form[] = ['lines', 'view', 'tokens', 'rows', 'file', 'side'];

/**
 * Numbers known of a part without reading it: `records`, `tokens`, `u` (hash of its last record, 32 bits), and what a rule adds.
 * They are part of a collection's digest.
 */
export type Facts = Readonly<Record<string, number>>;

/** One anonymous piece of data. Its name and place in a file are never part of it. */
export interface Part {
  readonly digest: Digest;
  readonly form: Form;
  readonly bytes: number;
  readonly facts: Facts;
  /** Category and source, `code/apps`; '' where a rule works on parts that have none. */
  readonly group: string;
  /** Path below `out`, only where files come out. */
  readonly name?: string;
}

/** The ordered parts of a target, as a plan sees them: they may still be in the making. */
export interface Collection extends AsyncIterable<Part> {
  all(): Promise<readonly Part[]>;
  byGroup(): AsyncIterable<{ group: string; parts: readonly Part[] }>;
  /** Pairs with the part of `other` at the same place; both must have equally many. */
  align(other: Collection): AsyncIterable<readonly [Part, Part]>;
}

export const factOf = (part: Part, name: string): number => part.facts[name] ?? 0;
export const sumOf = (parts: Iterable<Part>, name: string): number => {
  let sum = 0;
  for (const part of parts) sum += factOf(part, name);
  return sum;
};
