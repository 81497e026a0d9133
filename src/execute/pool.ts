import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { BuildError, messageOf } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Job, Made } from './job.ts';
import type { Runner } from './runner.ts';
import type { JobEnd, JobError, JobProgress } from './worker.ts';

interface Waiting {
  readonly job: Job;
  readonly progress: (done: number, total?: number) => void;
  readonly resolve: (made: Made) => void;
  readonly reject: (error: unknown) => void;
}

const workerFile = (): string => fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url));

const errorOf = ({ code, ...details }: JobError): Error => {
  const error = new BuildError(code, details);
  if (details.stack) error.stack = details.stack;
  return error;
};

/** Input bytes under which steps travel several to a message. */
const smallJobBytes = 64 * 1024;
const bytesIn = (job: Job): number => Object.values(job.locations).reduce((sum, segments) => sum + segments.reduce((s, x) => s + x.length, 0), 0);

/** Runs steps on worker threads. A worker that dies takes only the steps of its message with it; the pool starts another. */
export class PoolRunner implements Runner {
  readonly jobs: number;
  readonly #pool: workerpool.Pool;
  readonly #waiting: Waiting[] = [];
  #asked = false;

  constructor(jobs: number) {
    this.jobs = jobs;
    this.#pool = workerpool.pool(workerFile(), { workerType: 'thread', maxWorkers: jobs, workerTerminateTimeout: 1000 });
  }

  run(job: Job, progress: (done: number, total?: number) => void): Promise<Made> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, progress, resolve, reject });
      if (this.#asked) return;
      this.#asked = true;
      setImmediate(() => {
        this.#asked = false;
        this.#send();
      });
    });
  }

  async close(force: boolean): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(new BuildError('interrupted', { message: 'the build was stopped' }));
    await this.#pool.terminate(force);
  }

  /** Large steps go alone; small ones are dealt out evenly, at most so many to a message. */
  #send(): void {
    const all = this.#waiting.splice(0);
    const small = all.filter(({ job }) => bytesIn(job) < smallJobBytes);
    const perMessage = Math.min(limits.stepsPerMessageMax, Math.ceil(small.length / this.jobs));
    for (let i = 0; i < small.length; i += perMessage) this.#sendTogether(small.slice(i, i + perMessage));
    for (const waiting of all.filter((w) => !small.includes(w))) this.#sendTogether([waiting]);
  }

  #sendTogether(batch: readonly Waiting[]): void {
    const byId = new Map(batch.map((waiting) => [waiting.job.id, waiting]));
    const on = (payload: JobProgress): void => byId.get(payload.id)?.progress(payload.done, payload.total);
    const sent = this.#pool.exec('run', [batch.map(({ job }) => job)], { on }) as unknown as Promise<JobEnd[]>;
    sent.then(
      (ends) => ends.forEach((end) => settle(byId.get(end.id), end)),
      (error) => batch.forEach(({ reject }) => reject(new BuildError('worker-died', { message: `a worker ended: ${messageOf(error)}` }))),
    );
  }
}

function settle(waiting: Waiting | undefined, end: JobEnd): void {
  if ('made' in end) waiting?.resolve(end.made);
  else waiting?.reject(errorOf(end.error));
}
