import { fileURLToPath } from 'node:url';
import type { Pool } from 'workerpool';
import { BuildError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { moduleUrl } from '../base/program.ts';
import type { Job, Made } from './job.ts';
import { lostByDeath, lostByTime } from './lost-step.ts';
import { Pace } from './pace.ts';
import { RecordMark } from './record-mark.ts';
import { RecordWatch } from './record-watch.ts';
import type { Runner, StepListener } from './runner.ts';
import type { JobEnd, JobError, JobNews } from './worker.ts';

interface Waiting {
  readonly job: Job;
  readonly listener: StepListener;
  readonly resolve: (made: Made) => void;
  readonly reject: (error: unknown) => void;
  /** Told to have begun, in the message that it travels with. */
  hasBegun: boolean;
}

/** Steps that travel together. */
interface Message {
  readonly batch: readonly Waiting[];
  /** How many of them have ended, as far as is known: they run one after another. */
  ended: number;
  readonly mark: RecordMark;
  readonly recordMsMax: number;
  /** Ends its worker, whatever that is at. */
  end(): void;
}

const errorOf = ({ code, ...details }: JobError): Error => {
  const error = new BuildError(code, details);
  if (details.stack) error.stack = details.stack;
  return error;
};

export interface PoolOptions {
  readonly workerUrl?: string;
  /** So long a worker that is to end may take to end what it has started; then it is killed. One that does not come back has twice that. */
  readonly graceMs?: number;
}

/** Loaded with the first step: a build that has nothing to do needs no workers. */
async function startPool(jobs: number, { workerUrl, graceMs }: Required<PoolOptions>): Promise<Pool> {
  const { default: workerpool } = await import('workerpool');
  return workerpool.pool(fileURLToPath(workerUrl), { workerType: 'thread', maxWorkers: jobs, workerTerminateTimeout: graceMs });
}

/** Input bytes under which steps travel several to a message. */
const smallJobBytes = 64 * 1024;
const bytesIn = (job: Job): number =>
  Object.values(job.locations).reduce((sum, segments) => sum + segments.reduce((s, x) => s + x.length, 0), 0);

/** Deaths in a row of workers that had not begun a step, after which workers are given up: they can not even start. */
const deathsMax = 4;
/** How often it is looked what workers are at. */
const lookEveryMs = 1000;
const closeMsMax = 2000;

/**
 * Runs steps on worker threads. A worker that dies, or does not come back from a record and is ended, takes only the step with it that it
 * was at; others of its message whose end it had not reported are sent again. So it is when the whole program is killed: what was reported
 * is kept, what may take long goes alone.
 */
export class PoolRunner implements Runner {
  readonly jobs: number;
  readonly #options: Required<PoolOptions>;
  #pool: Promise<Pool> | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #sent = new Set<Waiting>();
  readonly #pace = new Pace();
  readonly #watch = new RecordWatch<Message>();
  #looking: NodeJS.Timeout | undefined;
  #deaths = 0;
  #asked = false;
  #closed = false;

  constructor(jobs: number, { workerUrl = moduleUrl('src/execute/worker'), graceMs = 1000 }: PoolOptions = {}) {
    this.jobs = jobs;
    this.#options = { workerUrl, graceMs };
  }

  run(job: Job, listener: StepListener): Promise<Made> {
    if (this.#closed) return Promise.reject(new BuildError('interrupted', { message: 'the build was stopped' }));
    return new Promise((resolve, reject) => {
      this.#add({ job, listener, resolve, reject, hasBegun: false });
    });
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#asked) return;
    this.#asked = true;
    setImmediate(() => {
      this.#asked = false;
      void this.#send();
    });
  }

  async close(force: boolean): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#rejectAll(new BuildError('interrupted', { message: 'the build was stopped' }));
    const closed = (await this.#pool)?.terminate(force, closeMsMax) as unknown as Promise<unknown> | undefined;
    // A worker that never came up, or was being ended already, is never reported as ended.
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([closed, new Promise((resolve) => (timer = setTimeout(resolve, closeMsMax)))]);
    clearTimeout(timer);
  }

  #rejectAll(error: BuildError): void {
    const all = [...this.#waiting.splice(0), ...this.#sent];
    this.#sent.clear();
    for (const { reject } of all) reject(error);
  }

  /** Large and slow steps go alone; small ones are dealt out evenly, at most so many to a message. */
  async #send(): Promise<void> {
    this.#pool ??= startPool(this.jobs, this.#options);
    const pool = await this.#pool;
    const all = this.#waiting.splice(0);
    const small = all.filter(({ job }) => this.#pace.isQuick(job) && bytesIn(job) < smallJobBytes);
    const perMessage = Math.min(limits.stepsPerMessageMax, Math.ceil(small.length / this.jobs));
    for (let i = 0; i < small.length; i += perMessage) this.#sendTogether(pool, small.slice(i, i + perMessage));
    for (const waiting of all.filter((w) => !small.includes(w))) this.#sendTogether(pool, [waiting]);
  }

  #sendTogether(pool: Pool, batch: readonly Waiting[]): void {
    for (const waiting of batch) this.#sent.add(waiting);
    const mark = new RecordMark();
    const on = (news: JobNews): void => {
      // A worker that is being ended tells nothing any more: its steps may run again by now.
      if (!this.#watch.has(message)) return;
      if (news.type === 'begins') this.#begins(message);
      else if (news.type === 'ends') this.#take(message, news.ends);
      else batch[message.ended]?.listener.progress?.(news.done, news.total);
    };
    const sent = pool.exec('run', [batch.map(({ job }) => job), mark.buffer], { on });
    const recordMsMax = Math.min(...batch.map(({ job }) => job.recordMsMax));
    const message: Message = { batch, ended: 0, mark, recordMsMax, end: () => void sent.cancel() };
    this.#watchOver(message);
    (sent as unknown as Promise<JobEnd[]>).then(
      (ends) => {
        this.#unwatch(message);
        this.#take(message, ends);
      },
      (error) => {
        if (this.#unwatch(message)) this.#died(message, error);
      },
    );
  }

  /** Only while something runs, and never what keeps the process alive. */
  #watchOver(message: Message): void {
    this.#watch.add(message);
    const periodMs = Math.min(lookEveryMs, message.recordMsMax);
    this.#looking ??= setInterval(() => this.#look(periodMs), periodMs).unref();
  }

  /** Whether it was watched until now. */
  #unwatch(message: Message): boolean {
    const wasWatched = this.#watch.delete(message);
    if (this.#watch.size > 0) return wasWatched;
    clearInterval(this.#looking);
    this.#looking = undefined;
    return wasWatched;
  }

  #look(periodMs: number): void {
    for (const { message, at, allowedMs } of this.#watch.look(performance.now(), periodMs)) {
      this.#unwatch(message);
      message.end();
      this.#lose(message, (job) => lostByTime(job, { at, allowedMs }));
    }
  }

  /** The next step of a message begins when the one before has ended: no message has to say so. */
  #take(message: Message, ends: readonly JobEnd[]): void {
    this.#deaths = 0;
    for (const end of ends) {
      this.#settle(message.batch[message.ended++] as Waiting, end);
      this.#begins(message);
    }
  }

  /** Unless the message is at its end, or the pool was closed. */
  #begins({ batch, ended }: Message): void {
    const waiting = batch[ended];
    if (!waiting || !this.#sent.has(waiting)) return;
    waiting.hasBegun = true;
    waiting.listener.begins?.();
  }

  #settle(waiting: Waiting, end: JobEnd): void {
    this.#sent.delete(waiting);
    if ('made' in end) {
      this.#pace.took(waiting.job, end.made.tookMs);
      waiting.resolve(end.made);
    } else waiting.reject(errorOf(end.error));
  }

  #died(message: Message, error: unknown): void {
    if (this.#lose(message, () => lostByDeath(error, message.mark.read().at))) return;
    if (++this.#deaths >= deathsMax) this.#rejectAll(lostByDeath(error));
  }

  /** Whether it is known which step it was at: then the others of the message are sent again, else all of them are lost. */
  #lose({ batch, mark }: Message, errorOf: (job: Job) => BuildError): boolean {
    const left = batch.filter((waiting) => this.#sent.delete(waiting));
    const { job } = mark.read();
    const culprit = left.find((waiting) => waiting.job.id === job);
    for (const waiting of left) {
      if (culprit && waiting !== culprit) this.#sendAgain(waiting, errorOf);
      else waiting.reject(errorOf(waiting.job));
    }
    return culprit !== undefined;
  }

  /** One that had begun had ended as well, but what it made was lost on its way. */
  #sendAgain(waiting: Waiting, errorOf: (job: Job) => BuildError): void {
    if (waiting.hasBegun) waiting.listener.lost?.(errorOf(waiting.job));
    waiting.hasBegun = false;
    this.#add(waiting);
  }
}
