import { formatBytes } from '../../base/bytes.ts';
import { nameWidthOf, targetLine, warningLine } from '../plain.ts';
import { type BuildView, type RunningStep, shareDone, type TargetView } from '../state.ts';
import { counted, formatDuration } from '../words.ts';

/** What a line is about: the terminal's colours follow from it. */
export type Tone = 'head' | 'running' | 'done' | 'failed' | 'waiting' | 'step' | 'warning';

export interface FrameLine {
  readonly tone: Tone;
  readonly text: string;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const barWidth = 20;
const stepsShownMax = 4;
const warningsShownMax = 3;

function bar(share: number): string {
  const full = Math.floor(share * barWidth);
  return '█'.repeat(full) + '░'.repeat(barWidth - full);
}

function runningLine(target: TargetView, nameWidth: number, nowMs: number): string {
  const { name, planned, ended, running, bytesIn, startedMs } = target;
  const counts = planned === 0 ? 'planning' : `${ended}/${planned}`;
  const words = [
    counts,
    running.size === 0 ? '' : `${running.size} running`,
    bytesIn === 0 ? '' : formatBytes(bytesIn),
    formatDuration(nowMs - startedMs),
  ];
  return `${name.padEnd(nameWidth)}  ${bar(shareDone(target))}  ${words.filter((word) => word !== '').join(' · ')}`;
}

function lineOf(target: TargetView, nameWidth: number, nowMs: number): FrameLine {
  const { state, name } = target;
  if (state === 'waiting') return { tone: 'waiting', text: `${name.padEnd(nameWidth)}  waiting` };
  if (state === 'running') return { tone: 'running', text: runningLine(target, nameWidth, nowMs) };
  return { tone: state === 'failed' || state === 'blocked' ? 'failed' : 'done', text: targetLine(target, nameWidth) };
}

function stepText(target: string, { step, bytesIn, done, total, sinceMs }: RunningStep, nowMs: number): string {
  const progress = total ? ` · ${Math.floor((100 * done) / total)} %` : '';
  return `  ${target} › ${step} · ${formatBytes(bytesIn)}${progress} · ${formatDuration(nowMs - sinceMs)}`;
}

/** The steps that run longest. */
function stepLines(targets: readonly TargetView[], nowMs: number): FrameLine[] {
  return targets
    .flatMap(({ name, running }) => [...running.values()].map((step) => ({ name, step })))
    .sort((a, b) => a.step.sinceMs - b.step.sinceMs || a.step.id - b.step.id)
    .slice(0, stepsShownMax)
    .map(({ name, step }) => ({ tone: 'step', text: stepText(name, step, nowMs) }));
}

/** So many lines of targets that all fit, with those that run among them; what is left out is counted. */
function windowed(lines: readonly FrameLine[], rowsMax: number): FrameLine[] {
  if (lines.length <= rowsMax) return [...lines];
  const shown = Math.max(1, rowsMax - 2);
  const firstRunning = lines.findIndex(({ tone }) => tone === 'running');
  const start = Math.max(0, Math.min(firstRunning < 0 ? lines.length : firstRunning, lines.length - shown));
  const after = lines.length - start - shown;
  const more = (count: number, where: string): FrameLine[] =>
    count === 0 ? [] : [{ tone: 'waiting', text: `… ${counted(count, 'target')} ${where}` }];
  return [...more(start, 'above'), ...lines.slice(start, start + shown), ...more(after, 'below')];
}

/** The lines of one frame. A frame is lower than the screen, else a terminal can not draw over it. */
export function frameLines(view: BuildView, nowMs: number, { rows }: ScreenSize): FrameLine[] {
  const targets = [...view.targets.values()];
  const width = nameWidthOf(view);
  const ended = targets.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  const head: FrameLine = {
    tone: 'head',
    text: `dsbuild  ${ended} of ${counted(targets.length, 'target')}  ${formatDuration(nowMs - view.startedMs)}`,
  };
  const roomy = rows >= 16;
  const steps = roomy ? stepLines(targets, nowMs) : [];
  const warnings = view.warnings
    .slice(roomy ? -warningsShownMax : -1)
    .map((warning): FrameLine => ({ tone: 'warning', text: warningLine({ type: 'warning', ...warning }).split('\n')[0] as string }));
  const left = Math.max(3, rows - 2 - steps.length - warnings.length);
  return [
    head,
    ...windowed(
      targets.map((target) => lineOf(target, width, nowMs)),
      left,
    ),
    ...steps,
    ...warnings,
  ].slice(0, Math.max(1, rows - 1));
}
