/** Sums over steps. `bytesOut` is what they wrote: an input that is passed on counts nothing; `tookMs` is their time one after the other. */
export interface Amount {
  readonly steps: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly tokens: number;
  readonly tookMs: number;
}

/**
 * How a step ran. The first of its kind on a worker loads what it needs, a tokenizer above all; one that knows most of its rows from
 * earlier does a small part of the work.
 */
export type Way = 'first' | 'warm' | 'first-reused' | 'warm-reused';

/** Steps of one kind that ran, by the way in which they did. */
export type Ways = { readonly [W in Way]?: Amount };

/** A target as it was when it was last built: what it read, its main output, and all its steps, known ones included. */
export interface LastFigures {
  readonly rule: string;
  readonly bytesIn: number;
  readonly parts: number;
  readonly bytes: number;
  readonly steps: Readonly<Record<string, Amount>>;
}

/** What runs have shown. Only ever guessed from: nothing that is built depends on it. */
export interface Rates {
  /** By rule and step: `tokenize/encode`. */
  readonly kinds: Readonly<Record<string, Ways>>;
  readonly targets: Readonly<Record<string, LastFigures>>;
  /** Time of a build that is not that of its steps: workers that start, publishing. */
  readonly overheadMs?: number;
}

export const noRates: Rates = { kinds: {}, targets: {} };
export const noAmount: Amount = { steps: 0, bytesIn: 0, bytesOut: 0, tokens: 0, tookMs: 0 };

export const kindOf = (rule: string, step: string): string => `${rule}/${step}`;

export const plus = (a: Amount, b: Amount): Amount => ({
  steps: a.steps + b.steps,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
  tokens: a.tokens + b.tokens,
  tookMs: a.tookMs + b.tookMs,
});

const times = ({ steps, bytesIn, bytesOut, tokens, tookMs }: Amount, factor: number): Amount => ({
  steps: steps * factor,
  bytesIn: bytesIn * factor,
  bytesOut: bytesOut * factor,
  tokens: tokens * factor,
  tookMs: tookMs * factor,
});

/** What one run showed. */
export interface RunFigures {
  readonly kinds: ReadonlyMap<string, Ways>;
  readonly targets: Readonly<Record<string, LastFigures>>;
  /** Of a run that went to its end. */
  readonly overheadMs?: number;
}

/** The newest run counts twice as much as the one before it: machines and data change. */
const weightOfEarlier = 0.5;

function newer(before: Ways = {}, now: Ways): Ways {
  const merged: { -readonly [W in Way]?: Amount } = { ...before };
  for (const [way, amount] of Object.entries(now) as [Way, Amount][])
    merged[way] = plus(times(before[way] ?? noAmount, weightOfEarlier), amount);
  return merged;
}

const blend = (before: number | undefined, now: number | undefined): number | undefined =>
  before === undefined || now === undefined ? (now ?? before) : before + (now - before) * weightOfEarlier;

/** The rates as they are after one more run. */
export function learn(rates: Rates, run: RunFigures): Rates {
  const kinds: Record<string, Ways> = { ...rates.kinds };
  for (const [kind, ways] of run.kinds) kinds[kind] = newer(kinds[kind], ways);
  const overheadMs = blend(rates.overheadMs, run.overheadMs);
  return { kinds, targets: { ...rates.targets, ...run.targets }, ...(overheadMs !== undefined && { overheadMs }) };
}
