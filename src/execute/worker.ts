import workerpool from 'workerpool';
import { BuildError, explained, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Job, Made } from './job.ts';
import { RecordMark } from './record-mark.ts';
import { runJob } from './run-job.ts';

/** How one step of a message ended. Errors travel as data: a class does not survive the way between threads. */
export type JobEnd = { readonly id: number; readonly made: Made } | { readonly id: number; readonly error: JobError };

export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly hint?: string;
  readonly stack?: string;
}

export interface JobProgress {
  readonly id: number;
  readonly done: number;
  readonly total?: number;
}

/** What a message that is under way says: how far a step is, or how steps ended that are not to wait for the others. */
export type JobNews = JobProgress | { readonly ends: readonly JobEnd[] };

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

function progressOf(id: number): (done: number, total?: number) => void {
  let last = 0;
  return (done, total) => {
    const now = performance.now();
    if (now - last < progressEveryMs) return;
    last = now;
    workerpool.workerEmit({ id, done, ...(total !== undefined && { total }) } satisfies JobNews);
  };
}

/** Aborts when the pool is closed: a program that a step started must not outlive it. A step that never waits is ended with its thread. */
const closing = new AbortController();
let running: Promise<unknown> = Promise.resolve();

async function runOne(job: Job, mark: RecordMark): Promise<JobEnd> {
  try {
    closing.signal.throwIfAborted();
    mark.starts(job.id);
    return { id: job.id, made: await runJob(job, { signal: closing.signal, progress: progressOf(job.id), mark }) };
  } catch (error) {
    return { id: job.id, error: errorAsData(error) };
  }
}

/** A kill loses what was not reported: ends that are older than this wait for no other step of their message. */
const endsWaitMsMax = 2;

/** Runs one step after another. @returns the ends that were not reported on the way. */
async function runAll(jobs: readonly Job[], mark: RecordMark): Promise<JobEnd[]> {
  let ends: JobEnd[] = [];
  let reported = performance.now();
  for (const [i, job] of jobs.entries()) {
    ends.push(await runOne(job, mark));
    if (i === jobs.length - 1 || performance.now() - reported < endsWaitMsMax) continue;
    workerpool.workerEmit(transferOf({ ends } satisfies JobNews, ends));
    ends = [];
    reported = performance.now();
  }
  return ends;
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
