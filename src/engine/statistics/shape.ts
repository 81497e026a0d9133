import { bucketStart, type HistogramData } from '../../rule/histogram.ts';
import type { TokenDecoder } from '../../rule/options.ts';
import type { Measure, Statistics } from '../../rule/statistics.ts';
import type { VocabularyCounts } from '../../rule/vocabulary-counts.ts';

/** One bar: lengths from `from` to `to`, both included. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** How long what was measured is. */
export interface Lengths {
  readonly measure: Measure;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Exact below 128, above by at most a 64th too large. */
  readonly percentiles: Readonly<Record<'p5' | 'p25' | 'p50' | 'p75' | 'p95' | 'p99', number>>;
  /** Powers of two, or tens of per cent. */
  readonly bars: readonly Bar[];
}

export interface UsedToken {
  readonly id: number;
  readonly count: number;
  /** Of all tokens, from 0 to 1. */
  readonly share: number;
  readonly text?: string;
}

/** Which ids of a tokenizer are in use. */
export interface VocabularyUse {
  readonly tokens: number;
  /** Distinct ids. */
  readonly used: number;
  /** The largest id of the tokenizer plus one, and how many below it were never seen; absent where the tokenizer is not kept. */
  readonly size?: number;
  readonly neverUsed?: number;
  /** Entropy of single tokens. */
  readonly bitsPerToken: number;
  /** So many of the most frequent ids make half, and 90 %, of all tokens. */
  readonly idsForHalf: number;
  readonly idsFor90Percent: number;
  readonly top: readonly UsedToken[];
}

/** What was counted of one output of a target. */
export interface Distributions {
  readonly output: string;
  /** Steps that ran for it just now, and steps of which the counts were known. None at all if all of it was known. */
  readonly steps: { readonly ran: number; readonly known: number };
  readonly lengths: readonly Lengths[];
  /** Of sequences: tokens that are no padding, and those whose label is masked. */
  readonly amounts: Readonly<Record<string, number>>;
  readonly vocabulary?: VocabularyUse;
}

const topMax = 20;

/** Figures for people, from counters. Nothing of them is kept, so that logarithms may be used. */
export function distributionsOf(
  statistics: Statistics,
  { output, steps, decoder }: Pick<Distributions, 'output' | 'steps'> & { decoder: TokenDecoder | undefined },
): Distributions {
  const { vocabulary, amounts } = statistics;
  const lengths = Object.entries(statistics.histograms).map(([measure, data]) => lengthsOf(measure as Measure, data));
  const use = vocabulary.used === 0 ? {} : { vocabulary: vocabularyUse(vocabulary, decoder) };
  return { output, steps, lengths: lengths.sort((a, b) => order.indexOf(a.measure) - order.indexOf(b.measure)), amounts, ...use };
}

const order: readonly Measure[] = ['tokensPerDocument', 'tokensPerSample', 'characters', 'bytes', 'fillPercent', 'documentsPerSequence'];

function lengthsOf(measure: Measure, data: HistogramData): Lengths {
  const { count, sum, min, max } = data;
  const at = (share: number): number => percentile(data, share);
  const percentiles = { p5: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), p99: at(0.99) };
  const bars = barsOf(data, measure === 'fillPercent' ? tens : octaves);
  return { measure, count, sum, min, max, mean: count === 0 ? 0 : sum / count, percentiles, bars };
}

/** The length that this share of all does not pass, as exact as buckets are. */
function percentile({ count, max, buckets }: HistogramData, share: number): number {
  let left = Math.ceil(count * share);
  for (let i = 0; i < buckets.length; i += 2) {
    left -= buckets[i + 1] as number;
    if (left <= 0) return Math.min(max, bucketStart((buckets[i] as number) + 1) - 1);
  }
  return max;
}

type Range = readonly [from: number, to: number];

/** 0, 1, 2-3, 4-7, ...: ends of buckets are ends of these as well. */
function octaves(length: number): Range {
  if (length === 0) return [0, 0];
  const from = 2 ** (31 - Math.clz32(length));
  return [from, 2 * from - 1];
}

/** 0-9, 10-19, ..., 90-99, 100. */
function tens(percent: number): Range {
  const from = Math.floor(percent / 10) * 10;
  return [from, percent >= 100 ? percent : from + 9];
}

function barsOf({ buckets }: HistogramData, rangeOf: (length: number) => Range): Bar[] {
  const bars: Bar[] = [];
  for (let i = 0; i < buckets.length; i += 2) {
    const count = buckets[i + 1] as number;
    const [from, to] = rangeOf(bucketStart(buckets[i] as number));
    const open = bars.at(-1);
    if (open?.from === from) bars[bars.length - 1] = { ...open, count: open.count + count };
    else bars.push(...between(open, from, rangeOf), { from, to, count });
  }
  return bars;
}

/** Ranges that nothing lies in are shown as well: a gap is to be seen. */
function between(open: Bar | undefined, from: number, rangeOf: (length: number) => Range): Bar[] {
  const empty: Bar[] = [];
  for (let next = open ? open.to + 1 : from; next < from; ) {
    const [start, end] = rangeOf(next);
    empty.push({ from: start, to: end, count: 0 });
    next = end + 1;
  }
  return empty;
}

function vocabularyUse(vocabulary: VocabularyCounts, decoder: TokenDecoder | undefined): VocabularyUse {
  const entries = [...vocabulary.entries()].sort(([a, m], [b, n]) => n - m || a - b);
  const tokens = entries.reduce((sum, [, count]) => sum + count, 0);
  const { used } = vocabulary;
  const size = decoder && Math.max(decoder.vocabularySize, 1 + entries.reduce((most, [id]) => Math.max(most, id), 0));
  return {
    tokens,
    used,
    ...(size !== undefined && { size, neverUsed: size - used }),
    bitsPerToken: -entries.reduce((sum, [, count]) => sum + (count / tokens) * Math.log2(count / tokens), 0),
    idsForHalf: idsFor(entries, tokens / 2),
    idsFor90Percent: idsFor(entries, tokens * 0.9),
    top: entries
      .slice(0, topMax)
      .map(([id, count]) => ({ id, count, share: count / tokens, ...(decoder && { text: decoder.decode([id]) }) })),
  };
}

/** How many of the most frequent ids it takes for so many tokens. */
function idsFor(entries: readonly (readonly [number, number])[], tokens: number): number {
  let left = tokens;
  const enough = entries.findIndex(([, count]) => {
    left -= count;
    return left <= 0;
  });
  return enough + 1;
}
