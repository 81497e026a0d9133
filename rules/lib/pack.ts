import { BuildError } from '../../src/base/errors.ts';
import { bestFit } from './pack-best-fit.ts';
import { concat } from './pack-concat.ts';
import { type PackInput, type Samples, samplesOf } from './pack-samples.ts';

/** `concat`: one stream, cut into rows. `best-fit`: whole samples where they leave the least room (best-fit decreasing). */
export type Packing = 'concat' | 'best-fit';

/** What becomes of a sample that is longer than a row under `best-fit`. */
export type LongDocuments = 'split' | 'truncate';

/** How samples become rows. `eosId` ends every document, `padId` fills what is left of a row. */
export interface PackOptions {
  /** Tokens per row, at least 1. */
  readonly maxSeqLength: number;
  readonly eosId: number;
  readonly padId: number;
  readonly packing: Packing;
  /** `truncate` is for `best-fit` only: a stream has no documents that are too long. */
  readonly longDocuments: LongDocuments;
}

/**
 * Both sides of a pack group's ledger. A document is a sample here: with windows each window counts.
 * documents = documentsPacked + documentsEmpty, tokensIn + tokensAdded = tokensPacked + tokensTruncated + tokensDropped,
 * rows * maxSeqLength = tokensPacked + tokensPadding.
 */
export interface PackCounters {
  readonly documents: number;
  readonly documentsPacked: number;
  /** Without a token: nothing of them is in any row. */
  readonly documentsEmpty: number;
  /** In more than one row. */
  readonly documentsSplit: number;
  /** Of which tokens were cut off. */
  readonly documentsTruncated: number;
  readonly tokensIn: number;
  /** EOS tokens put behind documents that did not end with one. */
  readonly tokensAdded: number;
  readonly tokensPacked: number;
  readonly tokensTruncated: number;
  readonly tokensDropped: number;
  readonly tokensPadding: number;
}

/**
 * Pieces of samples as they stand in the rows, as columns; row by row, in a row from its first token on, without gaps.
 * Neighbours in a row are never of the same sample.
 */
export interface Spans {
  /** Place of the first token in `ids`. */
  readonly at: Uint32Array;
  /** Tokens, at least one, an added EOS included. */
  readonly lengths: Uint32Array;
  /** Number of the sample, counted over all parts, those without a token included. */
  readonly samples: Uint32Array;
  /** Tokens of the sample that stand elsewhere before it. */
  readonly starts: Uint32Array;
}

/** Where spans stand. */
export interface Layout {
  readonly rows: number;
  readonly spans: Spans;
}

/** Rows of equal length, row after row in `ids`. */
export interface PackedRows extends Layout {
  readonly maxSeqLength: number;
  /** `rows * maxSeqLength` ids, padding included. */
  readonly ids: Int32Array;
  /** Tokens of each row that are not padding. */
  readonly realLengths: Uint32Array;
  /** What ends a document: a sample that ends otherwise goes on elsewhere. */
  readonly eosId: number;
}

/**
 * Packs the samples of a pack group's parts into rows of `maxSeqLength` tokens. No parts, or none with a token, give no row.
 *
 * Every document ends with EOS: one is added where its last token is another. What does not end its document gets none: a window before
 * the last, and a truncated sample, which fills its row, so that nothing follows it.
 *
 * Cost: O(tokens + maxSeqLength) and, under `best-fit`, a few word operations a sample to find its row.
 * @throws {BuildError} `bad-params` when `maxSeqLength` or an id is not a whole number in range.
 */
export function packDocuments(parts: readonly PackInput[], options: PackOptions): PackedRows & { readonly counters: PackCounters } {
  checkOptions(options);
  const { maxSeqLength, packing, longDocuments, eosId } = options;
  const samples = samplesOf(parts, { eosId, lengthMax: longDocuments === 'truncate' ? maxSeqLength : Number.POSITIVE_INFINITY });
  const layout = (packing === 'concat' ? concat : bestFit)(samples.lengths, maxSeqLength);
  const realLengths = realLengthsOf(layout, maxSeqLength);
  const ids = idsOf(parts, { samples, layout, realLengths, options });
  return { ...layout, maxSeqLength, ids, realLengths, eosId, counters: countersOf(samples, layout, ids.length) };
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

function realLengthsOf({ rows, spans }: Layout, maxSeqLength: number): Uint32Array {
  const lengths = new Uint32Array(rows);
  for (let i = 0; i < spans.at.length; i++) {
    const at = spans.at[i] as number;
    const row = Math.floor(at / maxSeqLength);
    lengths[row] = at + (spans.lengths[i] as number) - row * maxSeqLength;
  }
  return lengths;
}

interface Filling {
  readonly samples: Samples;
  readonly layout: Layout;
  readonly realLengths: Uint32Array;
  readonly options: PackOptions;
}

function idsOf(parts: readonly PackInput[], { samples, layout, realLengths, options }: Filling): Int32Array {
  const { maxSeqLength, eosId, padId } = options;
  const { spans, rows } = layout;
  const ids = new Int32Array(rows * maxSeqLength);
  for (let i = 0; i < spans.at.length; i++) {
    const [sample, start, length, at] = [spans.samples[i], spans.starts[i], spans.lengths[i], spans.at[i]] as [
      number,
      number,
      number,
      number,
    ];
    const own = Math.min(length, (samples.tokens[sample] as number) - start);
    const from = (samples.from[sample] as number) + start;
    copy((parts[samples.part[sample] as number] as PackInput).ids, { from, to: from + own }, { ids, at });
    if (own < length) ids[at + own] = eosId;
  }
  for (let row = 0; row < rows; row++) ids.fill(padId, row * maxSeqLength + (realLengths[row] as number), (row + 1) * maxSeqLength);
  return ids;
}

/** A view costs more than copying few tokens does. */
const loopTokensMax = 48;

function copy(source: Int32Array, { from, to }: { from: number; to: number }, target: { ids: Int32Array; at: number }): void {
  const { ids, at } = target;
  if (to - from > loopTokensMax) ids.set(source.subarray(from, to), at);
  else for (let i = from; i < to; i++) ids[at + i - from] = source[i] as number;
}

function countersOf({ tokens, lengths }: Samples, { spans }: Layout, idsInRows: number): PackCounters {
  let [tokensIn, tokensPacked, tokensAdded, tokensTruncated, documentsTruncated, documentsEmpty] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < tokens.length; i++) {
    const more = (lengths[i] as number) - (tokens[i] as number);
    tokensIn += tokens[i] as number;
    tokensPacked += lengths[i] as number;
    if (more > 0) tokensAdded += more;
    else tokensTruncated -= more;
    if (more < 0) documentsTruncated++;
    if (tokens[i] === 0) documentsEmpty++;
  }
  return {
    documents: tokens.length,
    documentsPacked: tokens.length - documentsEmpty,
    documentsEmpty,
    documentsSplit: samplesSplit(spans, tokens.length),
    documentsTruncated,
    tokensIn,
    tokensAdded,
    tokensPacked,
    tokensTruncated,
    tokensDropped: 0,
    tokensPadding: idsInRows - tokensPacked,
  };
}

function samplesSplit({ samples, starts }: Spans, count: number): number {
  const goesOn = new Uint8Array(count);
  for (let i = 0; i < samples.length; i++) if (starts[i] !== 0) goesOn[samples[i] as number] = 1;
  return goesOn.reduce((sum, one) => sum + one, 0);
}
