/**
 * How sure a piece is. `exact`: the steps tell. `in-order`: a step rewrites records and does not tell which; as many came out as went in, so
 * they are taken in order. `within`: somewhere in these rows.
 */
export type How = 'exact' | 'in-order' | 'within';

/** Tokens of a row, from `start`. */
export interface TokenSpan {
  readonly start: number;
  readonly length: number;
}

/**
 * Rows `[from, to)` of a part, numbered as lineage numbers them: lines of a lines part, lines of the base of a view, samples, sequences,
 * records of a file. More than one row only where it is not known which.
 */
export interface Piece {
  readonly part: number;
  readonly from: number;
  readonly to: number;
  readonly how: How;
  /** Which tokens of the row it is about; all, where that is not said. */
  readonly tokens?: TokenSpan;
  /** Where these tokens begin in the row at the other end of the trace. */
  readonly at?: number;
  /** Whether tokens that were put behind the row belong to it; they do unless it is said that they do not. */
  readonly hasEnd?: boolean;
}

const weights: Readonly<Record<How, number>> = { exact: 0, 'in-order': 1, within: 2 };
export const lessSure = (a: How, b: How): How => (weights[a] >= weights[b] ? a : b);

/** Past every row: the end of a range of which only the part is known. */
export const rowsMax = 2 ** 32;
