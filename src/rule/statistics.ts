import { BuildError } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import { Histogram, type HistogramData } from './histogram.ts';
import { VocabularyCounts } from './vocabulary-counts.ts';

/** What is counted, one value for each document, sample or sequence. */
export type Measure =
  /** Unicode code points, and bytes of UTF-8, of each document's text. */
  | 'characters'
  | 'bytes'
  /** Tokens of each document, and of each of the windows that documents were cut into. */
  | 'tokensPerDocument'
  | 'tokensPerSample'
  /** Of each sequence: whole per cent of its tokens that are no padding, and documents of which it holds a piece. */
  | 'fillPercent'
  | 'documentsPerSequence';

/** Amounts that are only added up: tokens of sequences that are no padding, and those of them whose label is masked. */
export type Amount = 'tokensReal' | 'tokensMasked';

interface Head {
  readonly statistics: 1;
  readonly amounts: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, HistogramData>>;
}

const ordered = <V>(entries: Iterable<readonly [string, V]>): Record<string, V> =>
  Object.fromEntries([...entries].sort(([a], [b]) => byCodeUnit(a, b)));

/**
 * Statistics of data: whole numbers that can be added up in any order. Of parts merged they are those of all in one go.
 * Bytes: one line of JSON, then the vocabulary.
 */
export class Statistics {
  readonly #amounts = new Map<string, number>();
  readonly #histograms = new Map<string, Histogram>();
  readonly vocabulary = new VocabularyCounts();

  count(amount: Amount, by: number): void {
    this.#amounts.set(amount, (this.#amounts.get(amount) ?? 0) + by);
  }

  /** The histogram of a measure; it is there from now on, even if nothing is added. */
  of(measure: Measure): Histogram {
    return this.#histogram(measure);
  }

  get amounts(): Readonly<Record<string, number>> {
    return ordered(this.#amounts);
  }

  get histograms(): Readonly<Record<string, HistogramData>> {
    return ordered([...this.#histograms].map(([name, histogram]) => [name, histogram.data] as const));
  }

  encode(): Buffer {
    const { amounts, histograms } = this;
    const head: Head = { statistics: 1, amounts, histograms };
    return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), this.vocabulary.encode()]);
  }

  /** Adds what `encode` wrote. @throws {BuildError} `bad-part` for bytes that it can not have written. */
  merge(bytes: Buffer): void {
    const end = bytes.indexOf(10);
    const head = headOf(bytes.subarray(0, Math.max(end, 0)));
    for (const [name, amount] of Object.entries(head.amounts)) this.#amounts.set(name, (this.#amounts.get(name) ?? 0) + amount);
    for (const [name, data] of Object.entries(head.histograms)) this.#histogram(name).merge(data);
    this.vocabulary.merge(bytes.subarray(end + 1));
  }

  #histogram(name: string): Histogram {
    const known = this.#histograms.get(name) ?? new Histogram();
    this.#histograms.set(name, known);
    return known;
  }
}

function headOf(line: Buffer): Head {
  try {
    const head = JSON.parse(line.toString('utf8')) as Partial<Head>;
    if (head.statistics === 1 && head.amounts && head.histograms) return head as Head;
  } catch {
    // Told below.
  }
  throw new BuildError('bad-part', { message: 'statistics are damaged: they do not begin with their head' });
}
