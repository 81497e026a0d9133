import { BuildError } from '../../src/base/errors.ts';
import type { Tokens } from './tokens.ts';

/** How documents become rows. `eosId` ends every document, `padId` fills the last row. */
export interface PackOptions {
  /** Tokens per row, at least 1. */
  readonly maxSeqLength: number;
  readonly eosId: number;
  readonly padId: number;
}

/**
 * Both sides of a pack group's ledger:
 * documents = documentsPacked + documentsEmpty, tokensIn + tokensAdded = tokensPacked + tokensTruncated + tokensDropped,
 * rows * maxSeqLength = tokensPacked + tokensPadding.
 */
export interface PackCounters {
  documents: number;
  documentsPacked: number;
  /** Documents without a token: nothing of them is in any row. */
  documentsEmpty: number;
  tokensIn: number;
  /** EOS tokens put behind documents that did not end with one. */
  tokensAdded: number;
  tokensPacked: number;
  tokensTruncated: number;
  tokensDropped: number;
  tokensPadding: number;
}

/** Rows of equal length, row after row in `ids`. */
export interface PackedRows {
  readonly rows: number;
  readonly maxSeqLength: number;
  /** `rows * maxSeqLength` ids, padding included. */
  readonly ids: Int32Array;
  /** Tokens of each row that are not padding. */
  readonly realLengths: Uint32Array;
  /** Positions in `ids` of each packed document's last token, rising. */
  readonly documentEnds: Uint32Array;
}

/**
 * Concatenates the documents of a pack group's parts, in order, and cuts the stream into rows of `maxSeqLength`: short documents
 * share a row, long ones go on in the next. Only the last row can be padded. No parts, or none with a token, give no row.
 *
 * Cost: O(tokens); allocates the arrays of the result only.
 * @throws {BuildError} `bad-params` when `maxSeqLength` or an id is not a whole number in range.
 */
export function packDocuments(parts: readonly Tokens[], options: PackOptions): PackedRows & { readonly counters: PackCounters } {
  checkOptions(options);
  const { maxSeqLength, padId } = options;
  const counters = countTokens(parts, options.eosId);
  const rows = Math.ceil(counters.tokensPacked / maxSeqLength);
  const ids = new Int32Array(rows * maxSeqLength);
  const documentEnds = new Uint32Array(counters.documentsPacked);
  copyDocuments(parts, options.eosId, { ids, documentEnds });
  ids.fill(padId, counters.tokensPacked);
  const realLengths = new Uint32Array(rows).fill(maxSeqLength);
  counters.tokensPadding = ids.length - counters.tokensPacked;
  if (rows > 0) realLengths[rows - 1] = maxSeqLength - counters.tokensPadding;
  return { rows, maxSeqLength, ids, realLengths, documentEnds, counters };
}

function checkOptions({ maxSeqLength, eosId, padId }: PackOptions): void {
  const wholeFrom = (least: number, value: number): boolean => Number.isInteger(value) && value >= least && value <= 0x7fffffff;
  for (const [name, value, least] of [
    ['maxSeqLength', maxSeqLength, 1],
    ['eosId', eosId, 0],
    ['padId', padId, 0],
  ] as const) {
    if (!wholeFrom(least, value))
      throw new BuildError('bad-params', { message: `${name} is ${value}; it must be a whole number from ${least} to 2147483647` });
  }
}

function countTokens(parts: readonly Tokens[], eosId: number): PackCounters {
  const counters: PackCounters = {
    documents: 0,
    documentsPacked: 0,
    documentsEmpty: 0,
    tokensIn: 0,
    tokensAdded: 0,
    tokensPacked: 0,
    tokensTruncated: 0,
    tokensDropped: 0,
    tokensPadding: 0,
  };
  for (const { lengths, ids } of parts) {
    let end = 0;
    for (let d = 0; d < lengths.length; d++) {
      const length = lengths[d] as number;
      end += length;
      if (length === 0) counters.documentsEmpty++;
      else if (ids[end - 1] !== eosId) counters.tokensAdded++;
    }
    counters.documents += lengths.length;
    counters.tokensIn += end;
  }
  counters.documentsPacked = counters.documents - counters.documentsEmpty;
  counters.tokensPacked = counters.tokensIn + counters.tokensAdded;
  return counters;
}

function copyDocuments(parts: readonly Tokens[], eosId: number, to: { ids: Int32Array; documentEnds: Uint32Array }): void {
  let at = 0;
  let packed = 0;
  for (const { lengths, ids } of parts) {
    let start = 0;
    for (let d = 0; d < lengths.length; d++) {
      const end = start + (lengths[d] as number);
      if (end === start) continue;
      to.ids.set(ids.subarray(start, end), at);
      at += end - start;
      if (ids[end - 1] !== eosId) to.ids[at++] = eosId;
      to.documentEnds[packed++] = at - 1;
      start = end;
    }
  }
}

/** The label that trainers leave out of the loss (PyTorch's `ignore_index`). */
const ignoredLabel = -100;

/** `shifted`: the label of a position is the next token. `hf`: the label is the token itself, for trainers that shift on their own. */
export type LabelKind = 'shifted' | 'hf';

export interface LabelOptions {
  readonly labels: LabelKind;
  /** false: no document learns to predict the first token of the one behind it. */
  readonly acrossDocuments: boolean;
}

/**
 * Labels of packed rows, as many as `ids`.
 *
 * - `shifted`: labels[i] = ids[i + 1] where that is a real token of the same row, else -100; without `acrossDocuments` also -100 at
 *   each document's last token.
 * - `hf`: labels[i] = ids[i], -100 on padding; without `acrossDocuments` also -100 at the first token behind a document's end in the
 *   same row, since the trainer's own shift makes that the label of the document's last token.
 */
export function labelsOf(packed: PackedRows, { labels: kind, acrossDocuments }: LabelOptions): Int32Array {
  const { rows, maxSeqLength, ids, realLengths, documentEnds } = packed;
  const ahead = kind === 'shifted' ? 1 : 0;
  const labels = new Int32Array(ids.length);
  labels.set(ids.subarray(ahead));
  for (let row = 0; row < rows; row++) {
    const known = Math.max((realLengths[row] as number) - ahead, 0);
    labels.fill(ignoredLabel, row * maxSeqLength + known, (row + 1) * maxSeqLength);
  }
  if (acrossDocuments) return labels;
  for (let d = 0; d < documentEnds.length; d++) {
    const step = (documentEnds[d] as number) + 1 - ahead;
    if (ahead === 1 || step % maxSeqLength !== 0) labels[step] = ignoredLabel;
  }
  return labels;
}
