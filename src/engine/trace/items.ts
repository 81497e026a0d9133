import type { How, TokenSpan } from './piece.ts';

/** A place in a source: lines of a local file or of what an address gives when it is unwrapped, counted from 1. */
export interface SourcePlace {
  /** Path below the project where it lies there, or an address. */
  readonly file: string;
  readonly line: number;
  /** The same as `line` where it is known which line it is; undefined: to the end of the file. */
  readonly lineLast?: number;
}

/** A row of a target, counted from 0 over all its parts, and in its file where it is published in one. */
export interface RowPlace {
  readonly target: string;
  readonly row: number;
  /** The last of several rows, where it is not known which. */
  readonly rowLast?: number;
  /** What rows are: documents, samples, sequences, rows. */
  readonly unit: string;
  readonly group: string;
  /** Path below the project, and the row in it, counted from 0. */
  readonly file?: string;
  readonly fileRow?: number;
}

/** What an answer is made of, in the order in which it is told. `dsbuild trace --json` writes one a line. */
export type TraceItem =
  /** The row that was asked about; `rows` is how many there are in the target or file. */
  | ({ readonly type: 'row'; readonly rows: number } & RowPlace)
  /** A piece of it: where it comes from. Without a source it is not known any more, and `note` says why. */
  | {
      readonly type: 'span';
      /** Tokens of the row, and of the document; absent where rows are whole documents. */
      readonly tokens?: TokenSpan;
      readonly documentTokens?: TokenSpan;
      readonly source?: SourcePlace;
      readonly how: How;
      readonly id?: string;
      readonly text?: string;
      readonly note?: string;
    }
  /** The line that was asked about. */
  | { readonly type: 'line'; readonly source: SourcePlace; readonly id?: string; readonly text?: string }
  /** A row that holds it, or a part of it. */
  | ({ readonly type: 'held'; readonly how: How; readonly tokens?: TokenSpan; readonly documentTokens?: TokenSpan } & RowPlace)
  /** A target in which it is no more. */
  | { readonly type: 'left-out'; readonly target: string; readonly reason: string; readonly detail?: string }
  | { readonly type: 'note'; readonly message: string };
