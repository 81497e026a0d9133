import type { Job, Made } from './job.ts';

/** Where steps run. The scheduler knows only this: a pool of threads, this very process, and a test's own hands all fit behind it. */
export interface Runner {
  /** Steps that may run at once. */
  readonly jobs: number;
  run(job: Job, progress: (done: number, total?: number) => void): Promise<Made>;
  /** Stops what runs, at once when `force` is given. */
  close(force: boolean): Promise<void>;
}
