import { formatBytes, formatCount } from '../base/bytes.ts';
import type { RemoteSummary, RowsReused, TargetSummary } from '../base/events.ts';

/** 420 -> `0.42 s`, 3,723,000 -> `1 h 2 min`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The same by whole seconds, for figures that move: `42 s`, `1 min 10 s`. */
export const formatSeconds = (ms: number): string => (ms < 100_000 ? `${Math.floor(Math.max(0, ms) / 1000)} s` : formatDuration(ms));

/** `1 step`, `1,204 steps`. */
export const counted = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `3 steps ran, 9 known, 1 restored, 2,517 of 2,518 rows reused`; what is nothing is left out. */
export function stepWords({ ran, hit, restored, reused }: { ran: number; hit: number; restored: number; reused?: RowsReused }): string {
  const words = [`${counted(ran, 'step')} ran`];
  if (hit > 0) words.push(`${formatCount(hit)} known`);
  if (restored > 0) words.push(`${formatCount(restored)} restored`);
  if (reused && reused.rows > 0) words.push(`${formatCount(reused.rows)} of ${counted(reused.of, 'row')} reused`);
  return words.join(', ');
}

/** `1,200 documents, 34,120 tokens, 1.2 MB` */
export function contentWords(summary: TargetSummary): string {
  const words: string[] = [];
  if (summary.documentsOut > 0) words.push(counted(summary.documentsOut, 'document'));
  if (summary.tokens > 0) words.push(counted(summary.tokens, 'token'));
  if (summary.bytesOut) words.push(formatBytes(summary.bytesOut));
  return words.join(', ');
}

/** `remote cache: fetching 3 of 20, 12 MB` */
export function transferWords({ way, done, total, bytes }: { way: 'up' | 'down'; done: number; total: number; bytes: number }): string {
  return `remote cache: ${way === 'up' ? 'sending' : 'fetching'} ${formatCount(done)} of ${formatCount(total)}, ${formatBytes(bytes)}`;
}

const remoteStates: Readonly<Record<RemoteSummary['state'], string>> = {
  ok: '',
  'read-only': 'read only',
  full: 'full',
  down: 'does not answer',
};

/** `remote cache: 12 found, 3 not there, 1.2 MB fetched, 3.4 MB sent`; what is nothing is left out. */
export function remoteWords({ state, hits, misses, bytesIn, bytesOut, failures, damaged, untrusted }: RemoteSummary): string {
  const words = [
    remoteStates[state],
    hits + misses === 0 ? '' : `${formatCount(hits)} found`,
    misses === 0 ? '' : `${formatCount(misses)} not there`,
    damaged === 0 ? '' : `${formatCount(damaged)} damaged`,
    untrusted === 0 ? '' : `${formatCount(untrusted)} untrusted`,
    failures === 0 ? '' : counted(failures, 'failure'),
    bytesIn === 0 ? '' : `${formatBytes(bytesIn)} fetched`,
    bytesOut === 0 ? '' : `${formatBytes(bytesOut)} sent`,
  ].filter((word) => word !== '');
  return words.length === 0 ? '' : `remote cache: ${words.join(', ')}`;
}

const reasonsShownMax = 3;

/** The reasons of a target as one line. */
export function whyWords(why: readonly string[]): string {
  const more = why.length - reasonsShownMax;
  return why.slice(0, reasonsShownMax).join('; ') + (more > 0 ? `; and ${counted(more, 'more reason')}` : '');
}
