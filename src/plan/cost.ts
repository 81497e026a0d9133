import { type Amount, noAmount, plus, type Ways } from './rates.ts';

/** What is left to do for a step that knows its rows, as long as none was seen. */
const shareOfReused = 0.15;

/** Steps of one kind that will run. */
export interface Load {
  readonly steps: number;
  readonly bytesIn: number;
  /** So many of them know most of their rows. */
  readonly reused: number;
}

export interface Cost extends Amount {
  readonly longestMs: number;
  readonly isAtLeast: boolean;
}

interface Seen {
  readonly ways: Ways | undefined;
  /** All steps of the kind in the target as it was: what they made of how many bytes is nearest to what they will. */
  readonly before: Amount | undefined;
  readonly jobs: number;
}

/** All that a kind of step came to, however it ran. */
export const amountOf = (ways: Ways = {}): Amount => Object.values(ways).reduce(plus, noAmount);

/** What steps come to by what the runs on record show of their kind. */
export function costOf({ steps, bytesIn, reused }: Load, { ways, before, jobs }: Seen): Cost {
  const seen = amountOf(ways);
  if (!ways || seen.steps === 0) return { ...noAmount, steps, bytesIn, longestMs: 0, isAtLeast: true };
  const [whole, known] = [paceOf(ways, ''), paceOf(ways, '-reused')];
  const pace = whole ?? known;
  const paceReused =
    known ?? (whole && { ...whole, msPerByte: whole.msPerByte * shareOfReused, msPerStep: whole.msPerStep * shareOfReused });
  const bytesOfOne = bytesIn / steps;
  const msOf = (of: Pace | undefined): number => (of ? of.msPerStep + of.msPerByte * bytesOfOne : 0);
  const [oneMs, oneReusedMs] = [msOf(pace), msOf(paceReused)];
  const of = reused === steps ? paceReused : pace;
  const loadMs = (steps < jobs ? of?.loadAloneMs : of?.loadMs) ?? 0;
  const alike = before && before.steps > 0 ? before : seen;
  const ratio = alike.bytesIn > 0 ? bytesIn / alike.bytesIn : steps / alike.steps;
  return {
    steps,
    bytesIn,
    bytesOut: alike.bytesOut * ratio,
    tokens: alike.tokens * ratio,
    tookMs: (steps - reused) * oneMs + reused * oneReusedMs + Math.min(jobs, steps) * loadMs,
    longestMs: (reused === steps ? oneReusedMs : oneMs) + loadMs,
    isAtLeast: false,
  };
}

/** How fast steps of one kind go. */
interface Pace {
  readonly msPerByte: number;
  readonly msPerStep: number;
  /** What the first on a worker takes more; and while no other worker's first runs beside it. */
  readonly loadMs: number;
  readonly loadAloneMs: number;
}

/**
 * What a byte takes as long as nobody knows better: tokenizing takes as much. Steps that read little show what a step costs that reads
 * nothing, and not what a byte does: a thousand times as many bytes would be guessed to take a thousand times as long.
 */
const usualMsPerByte = 50 / 1e6;
/** A step of so many bytes is believed by half. */
const bytesTelling = 256e3;

function steadyPace({ steps, bytesIn, tookMs }: Amount): Pick<Pace, 'msPerByte' | 'msPerStep'> {
  if (bytesIn === 0) return { msPerByte: 0, msPerStep: tookMs / steps };
  const shown = tookMs / bytesIn;
  const bytesOfOne = bytesIn / steps;
  const trust = bytesOfOne / (bytesOfOne + bytesTelling);
  const msPerByte = shown <= usualMsPerByte ? shown : usualMsPerByte * (shown / usualMsPerByte) ** trust;
  return { msPerByte, msPerStep: Math.max(0, tookMs / steps - msPerByte * bytesOfOne) };
}

/**
 * Of that, what is left when it does not run beside other first ones: what compiles and collects garbage for it then has a core of its own.
 */
const shareAlone = 0.5;

function paceOf(ways: Ways, suffix: '' | '-reused'): Pace | undefined {
  const [first = noAmount, warm = noAmount] = [ways[`first${suffix}`], ways[`warm${suffix}`]];
  if (first.steps + warm.steps === 0) return undefined;
  const { msPerByte, msPerStep } = steadyPace(warm.steps > 0 ? warm : first);
  // Of a kind of which only first steps ran, what each of them costs is what it loads.
  if (warm.steps === 0) return { msPerByte, msPerStep: 0, loadMs: msPerStep, loadAloneMs: msPerStep };
  const more = first.steps === 0 ? 0 : first.tookMs / first.steps - msPerStep - (msPerByte * first.bytesIn) / first.steps;
  const loadMs = Math.max(0, more);
  return { msPerByte, msPerStep, loadMs, loadAloneMs: loadMs * shareAlone };
}
