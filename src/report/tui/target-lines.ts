import { formatBytes, formatCount } from '../../base/bytes.ts';
import { resultWords } from '../plain.ts';
import { isOver } from '../remaining.ts';
import { shareDone, type TargetState, type TargetView } from '../state.ts';
import { fill } from '../width.ts';
import { counted, formatSeconds } from '../words.ts';
import { type Line, piece, type Tone } from './line.ts';
import type { Rate } from './rates.ts';

interface Look {
  readonly mark: string;
  readonly word: string;
  readonly tone: Tone;
}

/** A state is told by its mark and its word; the colour only repeats it. */
export const looks: Readonly<Record<TargetState, Look>> = {
  waiting: { mark: '·', word: 'waiting', tone: 'dim' },
  running: { mark: '▶', word: 'running', tone: 'bold' },
  built: { mark: '✓', word: 'built', tone: 'good' },
  kept: { mark: '=', word: 'fresh', tone: 'plain' },
  failed: { mark: '✗', word: 'failed', tone: 'bad' },
  blocked: { mark: '–', word: 'not built', tone: 'warn' },
  stopped: { mark: '■', word: 'stopped', tone: 'warn' },
};

function bar(share: number, width: number): string {
  const full = Math.floor(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Until it has asked for a step, a target whose inputs are in the making only waits for them. */
export function shownState({ state, planned, running, needs }: TargetView, targets: ReadonlyMap<string, TargetView>): TargetState {
  const isHeld = state === 'running' && planned === 0 && running.size === 0;
  return isHeld && needs.some((need) => !isOver(targets.get(need) as TargetView)) ? 'waiting' : state;
}

/** Less is nothing when it is rounded. */
const bytesShownMin = 50_000;

/** `1,204 documents/s · 34,120 tokens/s · 3.4 MB/s` */
function rateWords(rate: Rate | undefined): string[] {
  if (!rate) return [];
  const { documents, tokens, bytes } = rate;
  return [
    documents >= 1 ? `${formatCount(documents)} documents/s` : '',
    tokens >= 1 ? `${formatCount(tokens)} tokens/s` : '',
    bytes >= bytesShownMin ? `${(bytes / 1e6).toFixed(1)} MB/s` : '',
  ].filter((word) => word !== '');
}

function runningWords(target: TargetView, rate: Rate | undefined, nowMs: number): string {
  const { planned, ended, hit, startedMs } = target;
  const words = [
    planned === 0 ? 'planning' : `${formatCount(ended)}/${formatCount(planned)}`,
    hit === 0 ? '' : `${formatCount(hit)} known`,
  ];
  return [...words, ...rateWords(rate), formatSeconds(nowMs - startedMs)].filter((word) => word !== '').join(' · ');
}

export interface RowContext {
  readonly state: TargetState;
  readonly stem: string;
  readonly isSelected: boolean;
  readonly nameWidth: number;
  readonly barWidth: number;
  readonly rate: Rate | undefined;
  readonly nowMs: number;
}

/** One row of the tree: what became of a target, or how far it is. */
export function targetRow(target: TargetView, { state, stem, isSelected, nameWidth, barWidth, rate, nowMs }: RowContext): Line {
  const { mark, word, tone } = looks[state];
  const name = fill(`${stem}${target.name}`, nameWidth);
  const head = [piece(isSelected ? '> ' : '  ', 'bold'), piece(`${mark} `, tone), piece(name, isSelected ? 'bold' : 'plain'), piece('  ')];
  if (state === 'running') return [...head, piece(bar(shareDone(target), barWidth)), piece(`  ${runningWords(target, rate, nowMs)}`)];
  const rest = state === 'waiting' ? '' : resultWords(target);
  return [...head, piece(fill(word, 'not built'.length), tone), piece(rest === '' ? '' : `  ${rest}`)];
}

const byCount = (a: readonly [string, number], b: readonly [string, number]): number => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

/** Where a target's documents went: figures of the end, or of the steps that ran so far. */
export function funnelLines(target: TargetView): Line[] {
  const { summary, documents, tokens } = target;
  const dropped = [...(summary ? Object.entries(summary.dropped) : target.dropped)].filter(([, count]) => count > 0).sort(byCount);
  const all = dropped.reduce((sum, [, count]) => sum + count, 0);
  const read = summary?.documentsIn ?? documents;
  const isKeptKnown = summary ? read + summary.documentsOut > 0 : all > 0;
  const words = [
    read === 0 ? '' : `${counted(read, 'document')} in`,
    isKeptKnown ? `${formatCount(summary?.documentsOut ?? read - all)} kept` : '',
    summary && summary.quarantined > 0 ? `${formatCount(summary.quarantined)} quarantined` : '',
    (summary?.tokens ?? tokens) === 0 ? '' : counted(summary?.tokens ?? tokens, 'token'),
    summary?.bytesOut ? formatBytes(summary.bytesOut) : '',
  ].filter((word) => word !== '');
  if (words.length === 0) return [];
  const first = [piece(target.name, 'bold'), piece(`  ${words.join(', ')}${summary ? '' : ' so far'}`)];
  if (all === 0) return [first];
  return [first, [piece(`  dropped ${dropped.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(', ')}`)]];
}
