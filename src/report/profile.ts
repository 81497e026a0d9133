import type { BuildEvent } from '../base/events.ts';
import { layOut, type Span } from './lanes.ts';
import type { RecordedEvent } from './recorded.ts';

/**
 * One event of Chrome's trace format, which ui.perfetto.dev and chrome://tracing read; times in microseconds.
 * Source: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export interface TraceEvent {
  readonly name: string;
  /** `X` complete, `b` and `e` ends of an asynchronous span, `i` instant, `M` metadata. */
  readonly ph: 'X' | 'b' | 'e' | 'i' | 'M';
  readonly pid: 1;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly s?: 'g';
  readonly args?: Readonly<Record<string, unknown>>;
}

type Of<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

interface StepSpan extends Span {
  readonly target: string;
  readonly step: string;
  readonly args: Readonly<Record<string, unknown>>;
}

interface OtherSpan extends Span {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

interface TargetSpan extends OtherSpan {
  readonly how: string;
}

/** Tracks besides those of the steps. */
const tracks = { build: 1, scanning: 2, publishing: 3, firstWorker: 10 } as const;

const us = (ms: number): number => Math.round(ms * 1000);

/** Takes the events of a run one by one, and gives what a trace viewer shows of it. Memory: one small object for each step that ran. */
export class Profile {
  #run = '';
  #why = new Map<string, { atMs: number; why: readonly string[] }>();
  readonly #begun = new Map<number, { atMs: number; event: Of<'step-started'> }>();
  readonly #steps: StepSpan[] = [];
  readonly #targets: TargetSpan[] = [];
  readonly #scans: OtherSpan[] = [];
  readonly #publications: OtherSpan[] = [];
  readonly #instants: { name: string; atMs: number; args: Readonly<Record<string, unknown>> }[] = [];
  /** When the last target ended, or the last folder was published: folders change over one after another. */
  #lastEndMs = 0;
  #nowMs = 0;
  /** Whether the record has times at all. */
  hasTimes = false;

  take({ ms, ...event }: RecordedEvent): void {
    if (ms !== undefined) {
      this.hasTimes = true;
      this.#nowMs = ms;
    }
    this.#takeEvent(event as BuildEvent, this.#nowMs);
  }

  #takeEvent(event: BuildEvent, atMs: number): void {
    switch (event.type) {
      case 'build-started':
        this.#run = event.run;
        return;
      case 'scanned': {
        const { target, files, bytes, chunks, unchanged, tookMs } = event;
        this.#scans.push({
          name: `scan ${target}`,
          start: Math.max(0, atMs - tookMs),
          end: atMs,
          args: { files, bytes, chunks, unchanged },
        });
        return;
      }
      case 'step-started':
        this.#begun.set(event.id, { atMs, event });
        return;
      case 'step-finished':
        return this.#finished(event, atMs);
      case 'step-failed':
        return this.#failed(event, atMs);
      case 'published': {
        const { target, out, files, removed, bytes } = event;
        this.#publications.push({ name: `publish ${out}`, start: this.#lastEndMs, end: atMs, args: { target, files, removed, bytes } });
        this.#lastEndMs = atMs;
        return;
      }
      case 'warning':
      case 'note': {
        const { type, message, ...args } = event;
        this.#instants.push({ name: `${type}: ${message}`, atMs, args });
        return;
      }
      default:
        this.#takeTarget(event, atMs);
    }
  }

  #takeTarget(event: BuildEvent, atMs: number): void {
    if (event.type === 'target-started') {
      this.#why.set(event.target, { atMs, why: event.why });
      return;
    }
    if (!isEnd(event)) return;
    this.#lastEndMs = atMs;
    const { atMs: start = atMs, why = [] } = this.#why.get(event.target) ?? {};
    const { how, args } = endOf(event);
    this.#targets.push({ name: event.target === '' ? 'the build' : event.target, how, start, end: atMs, args: { why, ...args } });
  }

  /** How long a step ran is known better than when it began: of small steps that is told together with the end of the one before. */
  #finished({ target, step, id, how, counters, bytesOut, tookMs, reused }: Of<'step-finished'>, atMs: number): void {
    const bytesIn = this.#begun.get(id)?.event.bytesIn;
    this.#begun.delete(id);
    const args = { target, how, bytesIn, bytesOut, ...(reused && { reused }), counters };
    this.#steps.push({ target, step, start: Math.max(0, atMs - tookMs), end: atMs, args });
  }

  #failed({ target, step, id, attempt, error }: Of<'step-failed'>, atMs: number): void {
    const start = this.#begun.get(id)?.atMs ?? atMs;
    this.#begun.delete(id);
    this.#steps.push({ target, step: `${step} (failed)`, start, end: atMs, args: { target, attempt, error } });
  }

  /** In the order in which a reader needs them: names of tracks first. */
  *events(): Generator<TraceEvent> {
    // What still ran when the record ended.
    for (const { atMs, event } of this.#begun.values()) {
      const { target, step, bytesIn } = event;
      this.#steps.push({ target, step: `${step} (not ended)`, start: atMs, end: this.#nowMs, args: { target, bytesIn } });
    }
    this.#begun.clear();
    const laid = layOut(this.#steps);
    const lanes = laid.reduce((most, { lane }) => Math.max(most, lane + 1), 0);
    yield* this.#names(lanes);
    for (const [i, { name, how, start, end, args }] of this.#targets.entries()) {
      const about = { pid: 1, tid: tracks.build, cat: 'target', id: `target ${i}`, name } as const;
      yield { ...about, ph: 'b', ts: us(start), args: { how, ...args } };
      yield { ...about, ph: 'e', ts: us(end) };
    }
    yield* spans(this.#scans, tracks.scanning, 'scan');
    yield* spans(this.#publications, tracks.publishing, 'publish');
    for (const { of, lane, start, end } of laid) {
      const tid = tracks.firstWorker + lane;
      yield { name: of.step, ph: 'X', pid: 1, tid, ts: us(start), dur: us(end - start), cat: of.target, args: of.args };
    }
    for (const { name, atMs, args } of this.#instants) yield { name, ph: 'i', s: 'g', pid: 1, tid: tracks.build, ts: us(atMs), args };
  }

  *#names(lanes: number): Generator<TraceEvent> {
    const track = (tid: number, name: string): TraceEvent => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } });
    yield { name: 'process_name', ph: 'M', pid: 1, tid: 0, args: { name: `dsbuild ${this.#run}`.trim() } };
    yield track(tracks.build, 'build');
    if (this.#scans.length > 0) yield track(tracks.scanning, 'scanning sources');
    if (this.#publications.length > 0) yield track(tracks.publishing, 'publishing');
    for (let lane = 0; lane < lanes; lane++) yield track(tracks.firstWorker + lane, `steps ${lane + 1}`);
  }
}

type End = Of<'target-finished' | 'target-failed' | 'target-blocked' | 'target-stopped'>;

const isEnd = (event: BuildEvent): event is End =>
  ['target-finished', 'target-failed', 'target-blocked', 'target-stopped'].includes(event.type);

function endOf(event: End): { how: string; args: Readonly<Record<string, unknown>> } {
  if (event.type === 'target-failed') return { how: 'failed', args: { error: event.error } };
  if (event.type === 'target-blocked') return { how: 'not built', args: { by: event.by } };
  if (event.type === 'target-stopped') return { how: 'stopped', args: { because: event.because } };
  const { why: _, ...figures } = event.summary;
  return { how: event.how, args: figures };
}

function* spans(all: readonly OtherSpan[], tid: number, cat: string): Generator<TraceEvent> {
  for (const { name, start, end, args } of all) yield { name, ph: 'X', pid: 1, tid, ts: us(start), dur: us(end - start), cat, args };
}
