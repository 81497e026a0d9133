import type { BuildEstimate, BuildEvent, BuildSummary, ShownError, TargetSummary } from '../base/events.ts';
import { Slots } from './slots.ts';

/** `waiting` for what it needs; `running` from its first sign of life until it ends in one of the others. */
export type TargetState = 'waiting' | 'running' | 'built' | 'kept' | 'failed' | 'blocked' | 'stopped';

export interface RunningStep {
  readonly id: number;
  readonly step: string;
  readonly bytesIn: number;
  readonly sinceMs: number;
  /** Its place among the running steps, from 0: the place of one that ended is given to one that starts. */
  readonly slot: number;
  done: number;
  total: number | undefined;
}

export interface TargetView {
  readonly name: string;
  /** Targets of this build that it reads. */
  needs: readonly string[];
  rule: string;
  state: TargetState;
  why: readonly string[];
  /** Steps asked for so far, and those that ended, known ones included. */
  planned: number;
  ended: number;
  ran: number;
  hit: number;
  restored: number;
  /** Bytes that its finished steps read; records that they read and tokens that they made. */
  bytesIn: number;
  documents: number;
  tokens: number;
  /** Time of its steps that ran. */
  ranMs: number;
  /** Documents that its steps left out, by reason. */
  readonly dropped: Map<string, number>;
  readonly running: Map<number, RunningStep>;
  summary: TargetSummary | undefined;
  error: ShownError | undefined;
  /** Why it was not built, though nothing of its own failed. */
  unbuiltBecause: string | undefined;
  startedMs: number;
  endedMs: number;
}

export type WarningView = Omit<Extract<BuildEvent, { type: 'warning' }>, 'type'>;

export interface SlowStep {
  readonly target: string;
  readonly step: string;
  readonly tookMs: number;
}

/** A build as it stands: all that a view shows, and nothing of how it shows it. */
export interface BuildView {
  run: string;
  jobs: number;
  startedMs: number;
  readonly targets: Map<string, TargetView>;
  /** The newest last; all are counted, these are kept. */
  readonly warnings: WarningView[];
  warningCount: number;
  /** What it is expected to come to, once that is known. */
  estimate: BuildEstimate | undefined;
  readonly scanned: { files: number; bytes: number; chunks: number };
  /** The steps that took longest, the longest first. */
  readonly slowest: SlowStep[];
  readonly slots: Slots;
  readonly published: { target: string; out: string; files: number; removed: number; bytes: number }[];
  /** How far the transfers are that the build waits for, or has waited for. */
  remote: Omit<Of<'remote-progress'>, 'type'> | undefined;
  /** What stopped the build as a whole. */
  stopped: ShownError | undefined;
  /** By hand. */
  isInterrupted: boolean;
  summary: BuildSummary | undefined;
}

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

type StepEvent = Of<'step-started' | 'step-progress' | 'step-finished' | 'step-failed'>;

const warningsKeptMax = 100;
const slowestKept = 5;
const droppedPrefix = 'dropped:';

export function emptyView(): BuildView {
  return {
    run: '',
    jobs: 0,
    startedMs: 0,
    targets: new Map(),
    warnings: [],
    warningCount: 0,
    estimate: undefined,
    scanned: { files: 0, bytes: 0, chunks: 0 },
    slowest: [],
    slots: new Slots(),
    published: [],
    remote: undefined,
    stopped: undefined,
    isInterrupted: false,
    summary: undefined,
  };
}

function targetOf(view: BuildView, name: string): TargetView {
  const known = view.targets.get(name);
  if (known) return known;
  const target: TargetView = {
    name,
    needs: [],
    rule: '',
    state: 'waiting',
    why: [],
    planned: 0,
    ended: 0,
    ran: 0,
    hit: 0,
    restored: 0,
    bytesIn: 0,
    documents: 0,
    tokens: 0,
    ranMs: 0,
    dropped: new Map(),
    running: new Map(),
    summary: undefined,
    error: undefined,
    unbuiltBecause: undefined,
    startedMs: 0,
    endedMs: 0,
  };
  view.targets.set(name, target);
  return target;
}

function begin(target: TargetView, atMs: number): TargetView {
  if (target.state === 'waiting') {
    target.state = 'running';
    target.startedMs = atMs;
  }
  return target;
}

/** A target may start again: when a source changed while it was read, all is planned once more. */
function start(target: TargetView, { rule, why }: Of<'target-started'>, atMs: number): void {
  if (target.state !== 'running') target.startedMs = atMs;
  target.dropped.clear();
  Object.assign(target, { state: 'running', rule, why, summary: undefined, error: undefined, unbuiltBecause: undefined });
}

function end(view: BuildView, name: string, { state, atMs }: { state: TargetState; atMs: number }): TargetView {
  const target = targetOf(view, name);
  if (target.state === 'waiting') target.startedMs = atMs;
  target.state = state;
  target.endedMs = atMs;
  for (const { slot } of target.running.values()) view.slots.leave(slot);
  target.running.clear();
  return target;
}

function leaveSlot({ slots }: BuildView, { running }: TargetView, id: number): void {
  const step = running.get(id);
  if (!step) return;
  slots.leave(step.slot);
  running.delete(id);
}

function finishStep(view: BuildView, target: TargetView, event: Of<'step-finished'>): void {
  const { how, step, tookMs, documents = 0, tokens = 0, counters } = event;
  target[how]++;
  target.ended++;
  target.bytesIn += target.running.get(event.id)?.bytesIn ?? 0;
  target.documents += documents;
  target.tokens += tokens;
  target.ranMs += tookMs;
  for (const name in counters) {
    if (!name.startsWith(droppedPrefix)) continue;
    const reason = name.slice(droppedPrefix.length);
    target.dropped.set(reason, (target.dropped.get(reason) ?? 0) + (counters[name] as number));
  }
  noteSlow(view.slowest, { target: target.name, step, tookMs });
}

function noteSlow(slowest: SlowStep[], step: SlowStep): void {
  if (slowest.length === slowestKept && step.tookMs <= (slowest.at(-1) as SlowStep).tookMs) return;
  const at = slowest.findIndex(({ tookMs }) => tookMs < step.tookMs);
  slowest.splice(at < 0 ? slowest.length : at, 0, step);
  if (slowest.length > slowestKept) slowest.pop();
}

/** The number of these events is that of the steps: this part is kept cheap. */
function applyStep(view: BuildView, event: StepEvent, atMs: number): void {
  const target = begin(targetOf(view, event.target), atMs);
  const { id } = event;
  if (event.type === 'step-started') {
    const { step, bytesIn } = event;
    leaveSlot(view, target, id);
    const slot = view.slots.take();
    target.running.set(id, { id, step, bytesIn, sinceMs: atMs, slot, done: 0, total: undefined });
  } else if (event.type === 'step-progress') {
    const step = target.running.get(id);
    if (step) {
      step.done = event.done;
      step.total = event.total;
    }
  } else {
    if (event.type === 'step-finished') finishStep(view, target, event);
    leaveSlot(view, target, id);
  }
  target.planned = Math.max(target.planned, target.ended + target.running.size);
}

type Handlers = { readonly [T in BuildEvent['type']]: (view: BuildView, event: Of<T>, atMs: number) => void };

const handlers: Handlers = {
  // A view that outlives a build, as in watch mode, begins anew.
  'build-started': (view, { run, jobs, targets, needs = {} }, atMs) => {
    view.targets.clear();
    Object.assign(view, emptyView(), { targets: view.targets, run, jobs, startedMs: atMs });
    for (const name of targets) targetOf(view, name).needs = (needs[name] ?? []).filter((need) => targets.includes(need));
  },
  estimate: (view, event) => {
    view.estimate = event;
  },
  scanned: (view, { target, files, bytes, chunks }, atMs) => {
    begin(targetOf(view, target), atMs);
    view.scanned.files += files;
    view.scanned.bytes += bytes;
    view.scanned.chunks += chunks;
  },
  'target-started': (view, event, atMs) => start(targetOf(view, event.target), event, atMs),
  'steps-planned': (view, { target: name, planned, done, hit = 0 }, atMs) => {
    const target = begin(targetOf(view, name), atMs);
    target.planned = planned;
    target.ended = Math.max(target.ended, done);
    target.hit = Math.max(target.hit, hit);
  },
  'step-started': applyStep,
  'step-progress': applyStep,
  'step-finished': applyStep,
  'step-failed': applyStep,
  'target-finished': (view, { target, how, summary }, atMs) => {
    const ended = end(view, target, { state: how, atMs });
    ended.summary = summary;
    ended.hit = summary.hit;
  },
  'target-failed': (view, { target, error }, atMs) => {
    // What stops the build as a whole belongs to no target.
    if (target === '') view.stopped = error;
    else end(view, target, { state: 'failed', atMs }).error = error;
  },
  'target-blocked': (view, { target, by }, atMs) => {
    const state = view.targets.get(by)?.state;
    end(view, target, { state: 'blocked', atMs }).unbuiltBecause = `needs ${by}, which ${state === 'failed' ? 'failed' : 'was not built'}`;
  },
  'target-stopped': (view, { target, because }, atMs) => {
    end(view, target, { state: 'stopped', atMs }).unbuiltBecause = because;
  },
  interrupted: (view) => {
    view.isInterrupted = true;
  },
  published: (view, { type: _, ...published }) => {
    view.published.push(published);
  },
  warning: (view, { type: _, ...warning }) => {
    view.warningCount++;
    view.warnings.push(warning);
    if (view.warnings.length > warningsKeptMax) view.warnings.shift();
  },
  'remote-progress': (view, { type: _, ...moved }) => {
    view.remote = moved.done < moved.total ? moved : undefined;
  },
  note: () => {},
  watching: () => {},
  changed: () => {},
  difference: () => {},
  summary: (view, event) => {
    view.remote = undefined;
    view.summary = event;
  },
};

/** Takes one event into a view. The same events at the same times give the same view; nothing else is read or touched. */
export function apply(view: BuildView, event: BuildEvent, atMs: number): void {
  (handlers[event.type] as (view: BuildView, event: BuildEvent, atMs: number) => void)(view, event, atMs);
}

/** Share of a target's work that is done as far as it is planned, 0 to 1; running steps count by their own progress. */
export function shareDone({ planned, ended, running }: TargetView): number {
  const partly = [...running.values()].reduce((sum, { done, total }) => sum + (total ? Math.min(1, done / total) : 0), 0);
  return planned === 0 ? 0 : Math.min(1, (ended + partly) / planned);
}
