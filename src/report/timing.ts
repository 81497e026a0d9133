import type { BuildView, SlowStep, TargetView } from './state.ts';
import { formatDuration } from './words.ts';

/** Where the time of a build went. */
export interface Timing {
  /**
   * The chain of targets that the end of the build waited for, from the first to the last: each with the time from the end of the one
   * before it to its own end. Their sum is the time until the last target ended.
   */
  readonly criticalPath: readonly { readonly target: string; readonly tookMs: number }[];
  /** The steps that took longest, the longest first. */
  readonly slowest: readonly SlowStep[];
  /** What the steps that were known took when they ran. */
  readonly savedMs: number;
}

/** Of some targets the one that ended last; of equals the first. */
function lastOf(targets: Iterable<TargetView>): TargetView | undefined {
  let last: TargetView | undefined;
  for (const target of targets) if (target.state === 'built' && (last === undefined || target.endedMs > last.endedMs)) last = target;
  return last;
}

/** Walks back from the target that ended last, always to the input that ended last. */
function criticalPath({ targets, startedMs }: BuildView): { target: string; tookMs: number }[] {
  const path: { target: string; tookMs: number }[] = [];
  const needsOf = ({ needs }: TargetView): TargetView[] => needs.flatMap((need) => targets.get(need) ?? []);
  for (let at = lastOf(targets.values()); at !== undefined; ) {
    const before = lastOf(needsOf(at));
    path.unshift({ target: at.name, tookMs: Math.max(0, at.endedMs - (before?.endedMs ?? startedMs)) });
    at = before;
  }
  return path;
}

/** What is known of a build's time when it is over. Nothing is read but the view. */
export function timingOf(view: BuildView): Timing {
  const summaries = Object.values(view.summary?.targets ?? {});
  const savedMs = summaries.reduce((sum, summary) => sum + (summary.savedMs ?? 0), 0);
  return { criticalPath: criticalPath(view), slowest: [...view.slowest], savedMs };
}

const slowestShown = 3;
/** Shorter chains and steps, and the estimate of a shorter build, are not worth a line. */
export const worthMs = 1000;

/** The same as lines; a build that was over at once has none. */
export function timingLines(view: BuildView): string[] {
  const { criticalPath: path, slowest, savedMs } = timingOf(view);
  const lines: string[] = [];
  const pathMs = path.reduce((sum, { tookMs }) => sum + tookMs, 0);
  if (path.length > 1 && pathMs >= worthMs)
    lines.push(`waited for ${path.map(({ target, tookMs }) => `${target} ${formatDuration(tookMs)}`).join(' -> ')}`);
  const slow = slowest.slice(0, slowestShown).filter(({ tookMs }) => tookMs >= worthMs);
  if (slow.length > 0)
    lines.push(`slowest steps ${slow.map(({ target, step, tookMs }) => `${target} › ${step} ${formatDuration(tookMs)}`).join(', ')}`);
  if (savedMs >= worthMs) lines.push(`saved by the cache ${formatDuration(savedMs)} of steps`);
  return lines;
}
