import workerpool from 'workerpool';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import type { Job, Made } from './job.ts';
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

function errorAsData(error: unknown): JobError {
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
    workerpool.workerEmit({ id, done, ...(total !== undefined && { total }) } satisfies JobProgress);
  };
}

/** Aborts when the pool is closed: a program that a step started must not outlive it. A step that never waits is ended with its thread. */
const closing = new AbortController();
let running: Promise<unknown> = Promise.resolve();

async function runOne(job: Job): Promise<JobEnd> {
  try {
    closing.signal.throwIfAborted();
    return { id: job.id, made: await runJob(job, { signal: closing.signal, progress: progressOf(job.id) }) };
  } catch (error) {
    return { id: job.id, error: errorAsData(error) };
  }
}

async function runAll(jobs: readonly Job[]): Promise<JobEnd[]> {
  const ends: JobEnd[] = [];
  for (const job of jobs) ends.push(await runOne(job));
  return ends;
}

/** Small steps come several to a message, because a message costs more than they do. */
async function run(jobs: readonly Job[]): Promise<unknown> {
  const all = runAll(jobs);
  running = all;
  const ends = await all;
  const datas = ends.flatMap((end) => ('made' in end ? end.made.parts.flatMap((part) => part.data ?? []) : []));
  // Tiny buffers share a slab of Node's, which can not be given away: those are copied.
  const own = datas.filter((data) => data.byteLength === data.buffer.byteLength).map((data) => data.buffer as ArrayBuffer);
  return new workerpool.Transfer(ends, own);
}

async function close(): Promise<void> {
  closing.abort(new BuildError('interrupted', { message: 'the build was stopped' }));
  await running;
}

workerpool.worker({ run }, { onTerminate: close });
