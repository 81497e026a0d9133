import { isAbsolute, relative, sep } from 'node:path';
import { formatBytes } from '../base/bytes.ts';
import type { BuildEvent, ShownError } from '../base/events.ts';
import { type Paint, uncoloured } from './colour.ts';
import { forPeople } from './printed.ts';
import { type Clock, type Output, type Reporter, systemClock } from './reporter.ts';
import { showError } from './show-error.ts';
import { apply, type BuildView, emptyView, type TargetView } from './state.ts';
import { outcomeLine, summaryLines } from './summary.ts';
import { contentWords, counted, formatDuration, stepWords, transferWords, whyWords } from './words.ts';

/** Silence is not longer than this while something runs. */
const heartbeatMs = 10_000;
const nameWidthMax = 32;

const joined = (...words: readonly string[]): string => words.filter((word) => word !== '').join(' · ');

/** What came of a target that ended, and why. */
export function resultWords({ state, why, summary, startedMs, endedMs, unbuiltBecause }: TargetView): string {
  if (unbuiltBecause !== undefined) return unbuiltBecause;
  const content = summary ? contentWords(summary) : '';
  if (state === 'kept') return joined('nothing changed', content);
  const reasons = whyWords(summary?.why.length ? summary.why : why);
  return joined(reasons, summary ? stepWords(summary) : '', content, formatDuration(endedMs - startedMs));
}

const stateWords: Readonly<Record<string, string>> = {
  kept: 'fresh',
  built: 'built',
  failed: 'failed',
  blocked: 'not built',
  stopped: 'stopped',
};

/** One line for a target that ended: its name, what became of it, and why. */
function targetLine(target: TargetView, nameWidth: number, paint: Paint = uncoloured): string {
  const { name, state } = target;
  const word = (stateWords[state] ?? state).padEnd('not built'.length);
  const painted = state === 'failed' ? paint.red(word) : state === 'built' ? paint.green(word) : paint.dim(word);
  return `${paint.bold(name.padEnd(nameWidth))}  ${painted}  ${resultWords(target)}`.trimEnd();
}

/** What a running target has done so far. */
function progressLine({ name, planned, ended, running, bytesIn, startedMs }: TargetView, nowMs: number): string {
  const steps = planned === 0 ? 'planning' : `${ended} of ${counted(planned, 'step')}`;
  const bytes = bytesIn === 0 ? '' : `${formatBytes(bytesIn)} read`;
  return `${name}  ${joined(steps, running.size === 0 ? '' : `${running.size} running`, bytes, formatDuration(nowMs - startedMs))}`;
}

const nameWidthOf = (view: BuildView): number =>
  Math.min(nameWidthMax, Math.max(0, ...[...view.targets.keys()].map((name) => name.length)));

export interface PlainOptions {
  readonly paint?: Paint;
  readonly clock?: Clock;
  /** Folder that people see: paths below it are shown without it. */
  readonly cwd?: string;
  /** Columns of the terminal that it writes to, as they are at the moment; errors are broken into lines of that width. */
  readonly columns?: () => number | undefined;
  /** A build that somebody else keeps up to date: events come here when they are in it. */
  readonly view?: BuildView;
  /** One build after the other: what stayed as it was is not said again and again. */
  readonly watch?: boolean;
}

/** Lines without a terminal: one for each target that ends, one now and then while something runs, and a summary. */
class PlainReporter implements Reporter {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #clock: Clock;
  readonly #view: BuildView;
  readonly #isOwnView: boolean;
  readonly #stop: () => void;
  readonly #cwd: string | undefined;
  readonly #watch: boolean;
  readonly #columns: () => number | undefined;
  /** In watch mode: what is said again only after something else was said. */
  #isWaiting = false;
  /** The last that was said of a build is that something failed. */
  #isTroubled = false;
  #lastMs: number;

  constructor(
    output: Output,
    { paint = uncoloured, clock = systemClock, cwd, view, watch = false, columns = () => undefined }: PlainOptions,
  ) {
    this.#view = view ?? emptyView();
    this.#isOwnView = view === undefined;
    this.#watch = watch;
    this.#columns = columns;
    this.#output = output;
    this.#cwd = cwd;
    this.#paint = paint;
    this.#clock = clock;
    this.#lastMs = clock.now();
    this.#stop = clock.every(heartbeatMs / 10, () => this.#heartbeat());
  }

  readonly emit = (told: BuildEvent): void => {
    const event = forPeople(told);
    if (this.#isOwnView) apply(this.#view, event, this.#clock.now());
    const lines = this.#linesOf(event);
    if (event.type === 'summary') this.#isTroubled = !event.ok;
    else if (event.type === 'target-failed') this.#isTroubled = true;
    if (lines.length === 0) return;
    if (event.type !== 'watching') this.#isWaiting = false;
    this.#say(lines);
  };

  close(): void {
    this.#stop();
  }

  #say(lines: readonly string[]): void {
    this.#lastMs = this.#clock.now();
    this.#output.write(`${lines.join('\n')}\n`);
  }

  #heartbeat(): void {
    const now = this.#clock.now();
    if (now - this.#lastMs < heartbeatMs) return;
    const running = [...this.#view.targets.values()].filter(({ state }) => state === 'running');
    const lines = running.map((target) => progressLine(target, now));
    if (this.#view.remote) lines.push(transferWords(this.#view.remote));
    if (lines.length > 0) this.#say(lines.map((line) => this.#paint.dim(line)));
  }

  #linesOf(event: BuildEvent): string[] {
    const view = this.#view;
    if (this.#watch && isSameAgain(event, view) && !(event.type === 'summary' && this.#isTroubled)) return [];
    switch (event.type) {
      case 'target-finished':
      case 'target-blocked':
        return [this.#targetLine(event.target)];
      case 'target-stopped':
        // Of targets that were not begun the last line says how many there are.
        return view.targets.get(event.target)?.rule === '' ? [] : [this.#targetLine(event.target)];
      case 'target-failed':
        if (event.target === '') return [this.#errorText(event.error, 0)];
        return [this.#targetLine(event.target), indented(this.#errorText(event.error, indent.length))];
      case 'step-failed':
        return event.final ? [] : [this.#paint.yellow(retryLine(event))];
      case 'published':
        return [publishedLine(event, this.#cwd)];
      case 'warning':
        return [warningLine(event, this.#paint)];
      case 'note':
        return [event.target === undefined ? event.message : `${event.target}: ${event.message}`];
      case 'summary':
        return this.#watch ? [outcomeLine(view, event, this.#paint)] : summaryLines(view, event, this.#paint);
      case 'watching':
        return this.#waitingLines(event);
      case 'changed':
        return [this.#paint.bold(changedLine(event, this.#cwd))];
      case 'difference':
        return differenceLines(event);
      default:
        return [];
    }
  }

  #waitingLines({ folders }: Extract<BuildEvent, { type: 'watching' }>): string[] {
    if (this.#isWaiting) return [];
    this.#isWaiting = true;
    const paths = folders.map((path) => shownPath(path, this.#cwd)).filter((path) => !path.startsWith('/'));
    const shown = paths.map((path) => (path === '.' ? 'this folder' : path));
    return [this.#paint.dim(`watching ${namesShown(shown)}; Ctrl-C ends`)];
  }

  /** @param less columns that something else takes. */
  #errorText(error: ShownError, less: number): string {
    const columns = this.#columns();
    return showError(error, { paint: this.#paint, columns: columns && columns - less }).trimEnd();
  }

  #targetLine(name: string): string {
    const target = this.#view.targets.get(name) as TargetView;
    return targetLine(target, nameWidthOf(this.#view), this.#paint);
  }
}

/** As people type it: relative where that is shorter to read. */
export function shownPath(path: string, cwd: string | undefined): string {
  const below = cwd === undefined || !isAbsolute(path) ? '..' : relative(cwd, path);
  return below.startsWith('..') ? path : below.split(sep).join('/') || '.';
}

/** A target that is fresh, and a build in which all of them are: nothing to be said of each time that somebody looks. */
function isSameAgain(event: BuildEvent, view: BuildView): boolean {
  if (event.type === 'target-finished') return event.how === 'kept';
  if (event.type === 'target-stopped') return true;
  if (event.type !== 'summary') return false;
  const isFresh = event.ok && [...view.targets.values()].every(({ state }) => state === 'kept');
  return isFresh && event.steps.ran + event.steps.restored === 0 && view.published.length === 0;
}

const namesShownMax = 4;

function namesShown(names: readonly string[]): string {
  const more = names.length - namesShownMax;
  return names.slice(0, namesShownMax).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function changedLine({ paths, count }: Extract<BuildEvent, { type: 'changed' }>, cwd: string | undefined): string {
  const shown = paths.slice(0, namesShownMax).map((path) => shownPath(path, cwd));
  return `changed: ${shown.join(', ')}${count > shown.length ? ` and ${count - shown.length} more` : ''}`;
}

/** `tokens  +3 documents, -120 tokens`: net, compared with the build before. */
function differenceLines({ target, difference }: Extract<BuildEvent, { type: 'difference' }>): string[] {
  const { documents, tokens, written, removed } = difference;
  const signed = (count: number, noun: string): string => (count === 0 ? '' : `${count > 0 ? '+' : '-'}${counted(Math.abs(count), noun)}`);
  const words = [
    signed(documents, 'document'),
    signed(tokens, 'token'),
    written === 0 ? '' : `${counted(written, 'file')} written`,
    removed === 0 ? '' : `${counted(removed, 'file')} removed`,
  ].filter((word) => word !== '');
  return words.length === 0 ? [] : [`  ${target}: ${words.join(', ')}`];
}

/** A step that failed and begins again: where that was is what to look at meanwhile. */
const retryLine = ({ target, attempt, error: { where, message } }: Extract<BuildEvent, { type: 'step-failed' }>): string =>
  `${target}: ${where === undefined ? '' : `${where}: `}${message}; attempt ${attempt} failed, trying again`;

const indent = '  ';
const indented = (text: string): string => text.replace(/^/gm, indent);

function publishedLine(
  { target, out, files, removed, bytes }: Extract<BuildEvent, { type: 'published' }>,
  cwd: string | undefined,
): string {
  return joined(
    `${target} -> ${shownPath(out, cwd)}`,
    counted(files, 'file'),
    formatBytes(bytes),
    removed === 0 ? '' : `${removed} removed`,
  );
}

/** `warning  <where>  <message>`, and below it what to do. */
export function warningLine(warning: Extract<BuildEvent, { type: 'warning' }>, paint: Paint = uncoloured): string {
  const { code, message, where, hint, target } = forPeople(warning);
  const place = [target, where].filter((part) => part !== undefined).join(' › ');
  const line = `${paint.yellow('warning')}  ${place === '' ? '' : `${place}  `}${message}  ${paint.dim(`[${code}]`)}`;
  return hint === undefined ? line : `${line}\n  ${hint}`;
}

export const plainReporter = (output: Output, options: PlainOptions = {}): Reporter => new PlainReporter(output, options);
