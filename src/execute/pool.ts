import { fileURLToPath } from 'node:url';
import type { Pool } from 'workerpool';
import { BuildError, messageOf } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { moduleUrl } from '../base/program.ts';
import type { Job, Made } from './job.ts';
import { Pace } from './pace.ts';
import type { Runner } from './runner.ts';
import type { JobEnd, JobError, JobNews } from './worker.ts';

interface Waiting {
  readonly job: Job;
  readonly progress: (done: number, total?: number) => void;
  readonly resolve: (made: Made) => void;
  readonly reject: (error: unknown) => void;
}

const workerFile = (): string => fileURLToPath(moduleUrl('src/execute/worker'));

const errorOf = ({ code, ...details }: JobError): Error => {
  const error = new BuildError(code, details);
  if (details.stack) error.stack = details.stack;
  return error;
};

/** Loaded with the first step: a build that has nothing to do needs no workers. */
async function startPool(jobs: number): Promise<Pool> {
  const { default: workerpool } = await import('workerpool');
  return workerpool.pool(workerFile(), { workerType: 'thread', maxWorkers: jobs, workerTerminateTimeout: 1000 });
}

/** Input bytes under which steps travel several to a message. */
const smallJobBytes = 64 * 1024;
const bytesIn = (job: Job): number =>
  Object.values(job.locations).reduce((sum, segments) => sum + segments.reduce((s, x) => s + x.length, 0), 0);

/** Deaths in a row, without one finished message between them, after which workers are given up: they can not even start. */
const deathsMax = 4;
const closeMsMax = 2000;

/**
 * Runs steps on worker threads. A worker that dies takes only the steps with it whose end it had not reported; the pool starts another.
 * So it is when the whole program is killed: what was reported is kept, what may take long goes alone.
 */
export class PoolRunner implements Runner {
  readonly jobs: number;
  #pool: Promise<Pool> | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #sent = new Set<Waiting>();
  readonly #pace = new Pace();
  #deaths = 0;
  #asked = false;
  #closed = false;

  constructor(jobs: number) {
    this.jobs = jobs;
  }

  run(job: Job, progress: (done: number, total?: number) => void): Promise<Made> {
    if (this.#closed) return Promise.reject(new BuildError('interrupted', { message: 'the build was stopped' }));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, progress, resolve, reject });
      if (this.#asked) return;
      this.#asked = true;
      setImmediate(() => {
        this.#asked = false;
        void this.#send();
      });
    });
  }

  async close(force: boolean): Promise<void> {
    this.#closed = true;
    this.#rejectAll(new BuildError('interrupted', { message: 'the build was stopped' }));
    const closed = (await this.#pool)?.terminate(force, closeMsMax) as unknown as Promise<unknown> | undefined;
    // A worker that never came up is never reported as ended.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, closeMsMax).unref())]);
  }

  #rejectAll(error: BuildError): void {
    const all = [...this.#waiting.splice(0), ...this.#sent];
    this.#sent.clear();
    for (const { reject } of all) reject(error);
  }

  /** Large and slow steps go alone; small ones are dealt out evenly, at most so many to a message. */
  async #send(): Promise<void> {
    this.#pool ??= startPool(this.jobs);
    const pool = await this.#pool;
    const all = this.#waiting.splice(0);
    const small = all.filter(({ job }) => this.#pace.isQuick(job) && bytesIn(job) < smallJobBytes);
    const perMessage = Math.min(limits.stepsPerMessageMax, Math.ceil(small.length / this.jobs));
    for (let i = 0; i < small.length; i += perMessage) this.#sendTogether(pool, small.slice(i, i + perMessage));
    for (const waiting of all.filter((w) => !small.includes(w))) this.#sendTogether(pool, [waiting]);
  }

  #sendTogether(pool: Pool, batch: readonly Waiting[]): void {
    for (const waiting of batch) this.#sent.add(waiting);
    const byId = new Map(batch.map((waiting) => [waiting.job.id, waiting]));
    const take = (ends: readonly JobEnd[]): void => {
      this.#deaths = 0;
      for (const end of ends) this.#settle(byId.get(end.id), end);
    };
    const on = (news: JobNews): void => {
      if ('ends' in news) take(news.ends);
      else byId.get(news.id)?.progress(news.done, news.total);
    };
    const sent = pool.exec('run', [batch.map(({ job }) => job)], { on }) as unknown as Promise<JobEnd[]>;
    sent.then(take, (error) =>
      this.#died(
        batch.filter((waiting) => this.#sent.has(waiting)),
        error,
      ),
    );
  }

  #settle(waiting: Waiting | undefined, end: JobEnd): void {
    if (!waiting) return;
    this.#sent.delete(waiting);
    if ('made' in end) {
      this.#pace.took(waiting.job, end.made.tookMs);
      waiting.resolve(end.made);
    } else waiting.reject(errorOf(end.error));
  }

  #died(batch: readonly Waiting[], error: unknown): void {
    const died = new BuildError('worker-died', {
      message: `a worker ended: ${messageOf(error)}`,
      hint: 'If it ran out of memory, give fewer --jobs.',
    });
    for (const waiting of batch) {
      this.#sent.delete(waiting);
      waiting.reject(died);
    }
    if (++this.#deaths >= deathsMax) this.#rejectAll(died);
  }
}
