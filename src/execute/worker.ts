import workerpool from 'workerpool';
import { BuildError, explained, messageOf, systemCodeOf } from '../base/errors.ts';
import type { IoHooks } from './io.ts';
import type { Job, Made } from './job.ts';
import { RecordMark } from './record-mark.ts';
import { runJob } from './run-job.ts';

/** How one step of a message ended. Errors travel as data: a class does not survive the way between threads. */
export type JobEnd = { readonly made: Made } | { readonly error: JobError };

export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly hint?: string;
  readonly stack?: string;
}

/**
 * What a message that is under way says of its steps, which run in their order: that the first of them begins, how those ended that are not
 * to wait for the others, and how far the one is that comes after those.
 */
export type JobNews =
  | { readonly type: 'begins' }
  | { readonly type: 'ends'; readonly ends: readonly JobEnd[] }
  | { readonly type: 'progress'; readonly done: number; readonly total?: number };

const tell = (news: JobNews): void => workerpool.workerEmit(news);

function errorAsData(thrown: unknown): JobError {
  const error = explained(thrown);
  if (error instanceof BuildError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.where && { where: error.where }),
      ...(error.hint && { hint: error.hint }),
    };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: systemCodeOf(error) ?? 'step-threw', message: messageOf(error), ...(stack && { stack }) };
}

const progressEveryMs = 100;

/** A step that tells how far it is takes its time: the ends before it are told first. */
function progressAfter(ends: UntoldEnds): IoHooks['progress'] {
  let last = Number.NEGATIVE_INFINITY;
  return (done, total) => {
    const now = performance.now();
    if (now - last < progressEveryMs) return;
    last = now;
    ends.tell();
    tell({ type: 'progress', done, ...(total !== undefined && { total }) });
  };
}

/** Aborts when the pool is closed: a program that a step started must not outlive it. A step that never waits is ended with its thread. */
const closing = new AbortController();
let running: Promise<unknown> = Promise.resolve();

/** A kill loses what was not told: ends that are older than this wait for no other step of their message. */
const endsWaitMsMax = 2;

/** How steps of a message ended, until that is told: one by one costs a sixth more than together. */
class UntoldEnds {
  #ends: JobEnd[] = [];
  #toldMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  add(end: JobEnd): void {
    this.#ends.push(end);
    if (performance.now() - this.#toldMs >= endsWaitMsMax) this.tell();
    // Its time comes when the next step waits for something.
    else this.#timer ??= setTimeout(() => this.tell(), endsWaitMsMax);
  }

  tell(): void {
    const ends = this.take();
    this.#toldMs = performance.now();
    if (ends.length > 0) workerpool.workerEmit(transferOf({ type: 'ends', ends } satisfies JobNews, ends));
  }

  /** For those who tell of them otherwise. */
  take(): JobEnd[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ends = this.#ends;
    this.#ends = [];
    return ends;
  }
}

async function runOne(job: Job, mark: RecordMark, progress: IoHooks['progress']): Promise<JobEnd> {
  try {
    closing.signal.throwIfAborted();
    mark.starts(job.id);
    return { made: await runJob(job, { signal: closing.signal, progress, mark }) };
  } catch (error) {
    return { error: errorAsData(error) };
  }
}

/** Runs one step after another. @returns the ends that were not told on the way. */
async function runAll(jobs: readonly Job[], mark: RecordMark): Promise<JobEnd[]> {
  const untold = new UntoldEnds();
  tell({ type: 'begins' });
  for (const [i, job] of jobs.entries()) {
    const end = await runOne(job, mark, progressAfter(untold));
    if (i === jobs.length - 1) return [...untold.take(), end];
    untold.add(end);
  }
  return [];
}

/** Small steps come several to a message, because a message costs more than they do. `mark`: where the pool looks what they are at. */
async function run(jobs: readonly Job[], mark: SharedArrayBuffer): Promise<unknown> {
  const all = runAll(jobs, new RecordMark(mark));
  running = all;
  const ends = await all;
  return transferOf(ends, ends);
}

/** A message that gives the bytes of these ends away instead of copying them. */
function transferOf(message: object, ends: readonly JobEnd[]): InstanceType<typeof workerpool.Transfer> {
  const datas = ends.flatMap((end) => ('made' in end ? end.made.parts.flatMap((part) => part.data ?? []) : []));
  // Tiny buffers share a slab of Node's, which can not be given away: those are copied.
  const own = datas.filter((data) => data.byteLength === data.buffer.byteLength).map((data) => data.buffer as ArrayBuffer);
  return new workerpool.Transfer(message, own);
}

async function close(): Promise<void> {
  closing.abort(new BuildError('interrupted', { message: 'the build was stopped' }));
  await running;
}

workerpool.worker({ run }, { onTerminate: close });
