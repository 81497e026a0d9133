import { formatBytes, formatCount } from '../base/bytes.ts';
import type { BuildSummary, CacheSummary, TargetSummary } from '../base/events.ts';
import { byCodeUnit } from '../base/names.ts';
import { type Paint, uncoloured } from './colour.ts';
import type { BuildView } from './state.ts';
import { table } from './table.ts';
import { timingLines, worthMs } from './timing.ts';
import { counted, formatDuration, remoteWords, stepWords } from './words.ts';

type Entry = readonly [string, TargetSummary];

const heads = ['target', 'documents in', 'dropped', 'quarantined', 'out', 'tokens', 'bytes'];

const sumOf = (values: Readonly<Record<string, number>>): number => Object.values(values).reduce((sum, value) => sum + value, 0);
const orBlank = (count: number): string => (count === 0 ? '' : formatCount(count));

function rowOf([name, target]: Entry): string[] {
  const { documentsIn, documentsOut, dropped, quarantined, tokens, bytesOut } = target;
  const counts = [documentsIn, sumOf(dropped), quarantined, documentsOut, tokens].map(orBlank);
  return [name, ...counts, bytesOut ? formatBytes(bytesOut) : ''];
}

/** `clean dropped too-short 12, duplicate 3`: the largest first. */
function reasonLines(targets: readonly Entry[]): string[] {
  return targets.flatMap(([name, { dropped }]) => {
    const reasons = Object.entries(dropped)
      .filter(([, count]) => count > 0)
      .sort(([a, m], [b, n]) => n - m || byCodeUnit(a, b));
    return reasons.length === 0
      ? []
      : [`${name} dropped ${reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(', ')}`];
  });
}

/** `tokens by dsbuild-bpe@2`: which program made a target's ids. */
const engineLines = (targets: readonly Entry[]): string[] =>
  targets.flatMap(([name, { engine }]) => (engine === undefined ? [] : [`${name} by ${engine}`]));

const entriesOf = ({ targets }: BuildSummary): Entry[] =>
  Object.entries(targets).filter(([, target]) => target.documentsIn + target.documentsOut + target.tokens + (target.bytesOut ?? 0) > 0);

/** Where documents and tokens went, target by target, as cells. */
export const funnelTable = (summary: BuildSummary): { head: readonly string[]; rows: readonly (readonly string[])[] } => ({
  head: heads,
  rows: entriesOf(summary).map(rowOf),
});

export const reasonsByTarget = (summary: BuildSummary): string[] => reasonLines(entriesOf(summary));

/** Where documents and tokens went, target by target, and who made the tokens. */
function funnelLines(summary: BuildSummary): string[] {
  const entries = entriesOf(summary);
  return entries.length === 0 ? [] : [...table(heads, entries.map(rowOf)), ...reasonLines(entries), ...engineLines(entries)];
}

/** `estimated 12.1 s, took 11.0 s (+10 %)`: what the build was expected to take, and how wrong that was. */
function estimateLines({ estimate, tookMs }: BuildSummary): string[] {
  if (!estimate || tookMs < worthMs) return [];
  const percent = Math.round(estimate.error * 100);
  return [`estimated ${formatDuration(estimate.tookMs)}, took ${formatDuration(tookMs)} (${percent > 0 ? '+' : ''}${percent} %)`];
}

function outcome(view: BuildView, summary: BuildSummary): string {
  const states = [...view.targets.values()].map(({ state }) => state);
  const count = (state: string): number => states.filter((other) => other === state).length;
  const time = formatDuration(summary.tookMs);
  const fresh = states.length > 0 && states.every((state) => state === 'kept');
  if (summary.ok && fresh && summary.steps.ran + summary.steps.restored === 0) {
    const targets = `${states.length === 1 ? 'the target is' : `all ${counted(states.length, 'target')} are`} fresh`;
    if (view.published.length === 0) return `nothing to do: ${targets} (${time})`;
    return `published again, nothing had to run: ${targets} (${time})`;
  }
  const words = [stepWords(summary.steps)];
  if (summary.steps.failed > 0) words.unshift(`${counted(summary.steps.failed, 'step')} failed`);
  if (count('built') > 0) words.push(`${counted(count('built'), 'target')} built`);
  if (count('kept') > 0) words.push(`${formatCount(count('kept'))} fresh`);
  if (count('failed') > 0) words.push(`${formatCount(count('failed'))} failed`);
  const left = count('blocked') + count('waiting') + count('running');
  if (left > 0) words.push(`${formatCount(left)} not built`);
  if (count('stopped') > 0) words.push(`${formatCount(count('stopped'))} stopped`);
  if (summary.superseded) return `given up after ${time}, because something changed meanwhile: ${words.join(', ')}`;
  const ending = summary.ok ? 'done' : summary.interrupted ? 'interrupted' : 'failed';
  return `${ending} in ${time}: ${words.join(', ')}`;
}

/** What is said at the end: the funnel if anything was built, what was read and published, and how it ended. */
export function summaryLines(view: BuildView, summary: BuildSummary, paint: Paint = uncoloured): string[] {
  const built = [...view.targets.values()].some(({ state }) => state !== 'kept');
  const [head, ...rows] = built ? funnelLines(summary) : [];
  const lines = head === undefined ? [] : ['', paint.dim(head), ...rows, ''];
  const { files, bytes } = view.scanned;
  if (built && files > 0) lines.push(`read ${counted(files, 'file')}, ${formatBytes(bytes)}`);
  if (built) lines.push(...timingLines(view), ...estimateLines(summary));
  const remote = summary.remote ? remoteWords(summary.remote) : '';
  if (remote !== '') lines.push(remote);
  if (summary.cache) lines.push(cacheWords(summary.cache));
  if (summary.warnings > 0) lines.push(paint.yellow(counted(summary.warnings, 'warning')));
  return [...lines, outcomeLine(view, summary, paint)];
}

/** What was done to keep the cache within its size. */
const cacheWords = ({ bytes, max, freed }: CacheSummary): string =>
  `cache above its ${formatBytes(max)}: ${formatBytes(freed)} collected, ${formatBytes(bytes)} left`;

/** How a build ended, in one line. */
export function outcomeLine(view: BuildView, summary: BuildSummary, paint: Paint = uncoloured): string {
  const end = outcome(view, summary);
  return paint.bold(summary.superseded || summary.interrupted ? paint.yellow(end) : summary.ok ? paint.green(end) : paint.red(end));
}
