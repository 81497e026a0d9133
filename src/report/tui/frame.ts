import { formatBytes, formatCount } from '../../base/bytes.ts';
import { warningLine } from '../plain.ts';
import { remainingOf } from '../remaining.ts';
import type { RunningStep } from '../state.ts';
import { outcomeLine } from '../summary.ts';
import { widthOf } from '../width.ts';
import { counted, formatSeconds, transferWords } from '../words.ts';
import { cutLine, type Line, line, piece, spread, windowStart } from './line.ts';
import { helpLines, targetLines } from './pages.ts';
import { branchesOf, currentOf, logOf, type Scene, type ScreenSize } from './scene.ts';
import { funnelLines, shownState, targetRow } from './target-lines.ts';
import type { Branch } from './tree.ts';

export interface Frame {
  readonly lines: readonly Line[];
  /** How far the open page can be scrolled. */
  readonly scrollMax: number;
}

interface Room {
  readonly width: number;
  readonly height: number;
}

const workersShownMax = 8;
const warningsShownMax = 3;
/** Share of the rows that targets have in any case, if they want so many. */
const targetsShare = 0.5;

/**
 * What is on the screen. Its lines are narrower than the screen, so that none is wrapped, and lower, else a terminal could not draw over
 * it. Only what is seen is made.
 */
export function frameOf(scene: Scene, { columns, rows }: ScreenSize): Frame {
  const room = { width: Math.max(1, columns - 1), height: Math.max(1, rows - 1) };
  const keys = room.height >= 4 ? [keysLine(scene, room.width)] : [];
  const body = { width: room.width, height: Math.max(0, room.height - 1 - keys.length) };
  const { lines, scrollMax } = bodyOf(scene, body);
  return { lines: [headLine(scene, room.width), ...lines.slice(0, body.height), ...keys].map((l) => cutLine(l, room.width)), scrollMax };
}

function headLine(scene: Scene, width: number): Line {
  const { view, nowMs, status } = scene;
  const targets = [...view.targets.values()];
  const ended = targets.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
  const name = piece('dsbuild', 'bold');
  const modes = [...(status.isStopping ? [piece('  stopping', 'warn')] : []), ...(status.isPaused ? [piece('  paused', 'warn')] : [])];
  if (view.summary) return [name, ...modes, piece(`  ${outcomeLine(view, view.summary)}`, view.summary.ok ? 'good' : 'bad')];
  if (view.run === '') return [name, ...modes, piece('  starting')];
  const left = [name, ...modes, piece(`  ${ended} of ${counted(targets.length, 'target')}  ${formatSeconds(nowMs - view.startedMs)}`)];
  if (view.remote) return spread(left, [piece(transferWords(view.remote))], width);
  const remaining = remainingOf(view);
  // Of less than a second it is not worth saying that it may be more.
  if (!remaining || (remaining.isAtLeast && remaining.ms < 1000)) return left;
  return spread(left, [piece(`${remaining.isAtLeast ? 'more than' : 'about'} ${formatSeconds(remaining.ms)} left`)], width);
}

function keysLine({ ui, status }: Scene, width: number): Line {
  if (ui.isTyping) return [piece('/', 'bold'), piece(ui.filter), piece('_', 'dim'), piece('  enter keeps it, escape clears it', 'dim')];
  if (!status.hasKeys) return line('Ctrl-C stops', 'dim');
  const back = ui.pane === 'targets' ? ['↑↓ select', 'enter open'] : ['esc back', '↑↓ scroll'];
  const words = [
    ...back,
    '/ filter',
    'l log',
    ...(status.canPause ? [status.isPaused ? 'p go on' : 'p pause'] : []),
    ...(status.canRebuild ? ['r rebuild'] : []),
    '? help',
    'q quit',
  ];
  const filter = ui.filter === '' ? '' : `/${ui.filter}   `;
  // What has no room is in the help.
  while (words.length > 2 && widthOf(filter + words.join('  ')) > width) words.splice(-3, 1);
  return [piece(filter, 'bold'), piece(words.join('  '), 'dim')];
}

function bodyOf(scene: Scene, room: Room): Frame {
  switch (scene.ui.pane) {
    case 'targets':
      return { lines: overview(scene, room), scrollMax: 0 };
    case 'log':
      return logPage(scene, room);
    case 'help':
      return page(helpLines(scene.status), scene, room);
    case 'target':
      return page(targetLines(scene), scene, room);
  }
}

function page(lines: readonly Line[], { ui }: Scene, { height }: Room): Frame {
  const scrollMax = Math.max(0, lines.length - height);
  const start = Math.min(ui.scroll, scrollMax);
  return { lines: lines.slice(start, start + height), scrollMax };
}

function logPage(scene: Scene, { height }: Room): Frame {
  const texts = logOf(scene);
  const scrollMax = Math.max(0, texts.length - height);
  const end = texts.length - Math.min(scene.ui.scroll, scrollMax);
  if (texts.length === 0) return { lines: [line('nothing was said yet', 'dim')], scrollMax };
  return { lines: texts.slice(Math.max(0, end - height), end).map((text) => line(text)), scrollMax };
}

/** Rows are dealt out one at a time, so that whoever wants few gets all of them. */
function dealt(room: number, wants: readonly number[]): number[] {
  const given = wants.map(() => 0);
  let left = room;
  while (left > 0 && given.some((count, i) => count < (wants[i] as number))) {
    for (const [i, want] of wants.entries()) {
      if (left === 0 || (given[i] as number) >= want) continue;
      given[i] = (given[i] as number) + 1;
      left--;
    }
  }
  return given;
}

function overview(scene: Scene, { width, height }: Room): Line[] {
  const branches = branchesOf(scene);
  const current = currentOf(branches, scene.ui);
  const target = current === undefined ? undefined : scene.view.targets.get(current);
  const funnel = target ? funnelLines(target) : [];
  const running = runningSteps(scene);
  const warnings = scene.view.warnings.slice(-warningsShownMax).map(warningRow);
  const rows = Math.max(1, branches.length);
  const wants = [funnel.length, Math.min(workersShownMax, running.length), warnings.length];
  const gaps = wants.filter((want) => want > 0).length;
  const asked = wants.reduce((sum, want) => sum + want, 0);
  const isRoomy = rows + asked + gaps <= height;
  const room = height - Math.min(rows, Math.max(Math.ceil(targetsShare * height), height - asked));
  const [funnels = 0, working = 0, warned = 0] = dealt(room, wants);
  const others = [
    funnel.slice(0, funnels),
    workerLines(running, { rows: working, nowMs: scene.nowMs }),
    warnings.slice(warnings.length - warned),
  ];
  const left = height - others.flat().length - (isRoomy ? gaps : 0);
  const below = others.flatMap((lines) => (lines.length === 0 ? [] : isRoomy ? [line(''), ...lines] : lines));
  return [...targetRows(scene, { branches, current }, { width, height: left }), ...below];
}

function targetRows(
  { view, rates, nowMs, ui }: Scene,
  { branches, current }: { branches: readonly Branch[]; current: string | undefined },
  { width, height }: Room,
): Line[] {
  if (branches.length === 0) return view.targets.size === 0 ? [] : [line(`no target holds "${ui.filter}"`, 'dim')];
  const at = branches.findIndex(({ target }) => target.name === current);
  // What does not fit is counted in the first and the last row.
  const start = windowStart({ count: branches.length, height, at });
  const end = Math.min(branches.length, start + height);
  const [above, below] = height < 3 ? [0, 0] : [start, branches.length - end];
  const longest = Math.max(...branches.map(({ stem, target }) => widthOf(stem) + widthOf(target.name)));
  const nameWidth = Math.max(1, Math.min(longest, Math.floor(width / 3)));
  const barWidth = width < 80 ? 8 : 20;
  return branches.slice(start, end).map(({ target, stem }, i, shown): Line => {
    if (i === 0 && above > 0) return line(`  … ${counted(above + 1, 'target')} above`, 'dim');
    if (i === shown.length - 1 && below > 0) return line(`  … ${counted(below + 1, 'target')} below`, 'dim');
    const state = shownState(target, view.targets);
    return targetRow(target, { state, stem, isSelected: target.name === current, nameWidth, barWidth, rate: rates.of(target.name), nowMs });
  });
}

interface Running {
  readonly name: string;
  readonly step: RunningStep;
}

function runningSteps({ view }: Scene): Running[] {
  const running: Running[] = [];
  for (const { name, running: steps } of view.targets.values()) for (const step of steps.values()) running.push({ name, step });
  return running.sort((a, b) => a.step.slot - b.step.slot);
}

/** What each worker does. Steps keep their rows while they run; if they do not all fit, the last row says how many there are more. */
function workerLines(running: readonly Running[], { rows, nowMs }: { rows: number; nowMs: number }): Line[] {
  const shown = running.length > rows ? Math.max(0, rows - 1) : running.length;
  const more = rows > shown ? [line(`  … ${counted(running.length - shown, 'more step')}`, 'dim')] : [];
  return [...running.slice(0, shown).map((one) => workerLine(one, nowMs)), ...more];
}

function workerLine({ name, step: { slot, step, bytesIn, done, total, sinceMs } }: Running, nowMs: number): Line {
  const progress = total ? `${Math.min(100, Math.floor((100 * done) / total))} %` : done > 0 ? formatCount(done) : '';
  const words = [bytesIn === 0 ? '' : formatBytes(bytesIn), progress, formatSeconds(nowMs - sinceMs)].filter((word) => word !== '');
  return [piece(`${String(slot + 1).padStart(2)} `, 'dim'), piece(`${name} › ${step}  ${words.join(' · ')}`)];
}

function warningRow(warning: Scene['view']['warnings'][number]): Line {
  const [text = ''] = warningLine({ type: 'warning', ...warning })
    .replace(/^warning +/, '')
    .split('\n');
  return [piece('! ', 'warn'), piece(text, 'warn')];
}
