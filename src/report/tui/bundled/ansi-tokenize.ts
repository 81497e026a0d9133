/**
 * Takes the place of `@alcalzone/ansi-tokenize` where Ink is bundled. Ink takes each row apart into characters with their colours, so that boxes
 * can overlap, and puts them together again: most of what a frame cost. In a frame nothing overlaps, so a row is one cell, colours and all.
 */
interface Cell {
  readonly type: 'char';
  readonly value: string;
  readonly fullWidth: false;
  readonly styles: readonly never[];
}

export const tokenize = (row: string): readonly string[] => [row];

export const styledCharsFromTokens = (rows: readonly string[]): Cell[] =>
  rows.map((value) => ({ type: 'char', value, fullWidth: false, styles: [] }));

export const styledCharsToString = (cells: readonly Cell[]): string => cells.map(({ value }) => value).join('');
