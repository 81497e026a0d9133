import type { BuildError } from '../base/errors.ts';
import type { Job, Made } from './job.ts';

/** Who is told what becomes of a step that was handed over. */
export interface StepListener {
  /** It runs from now on: a worker is at it. */
  begins?(): void;
  /** It had begun, but its worker was lost before it told how the step ended: it will run again. */
  lost?(error: BuildError): void;
  progress?(done: number, total?: number): void;
}

/** Where steps run. The scheduler knows only this: a pool of threads, this very process, and a test's own hands all fit behind it. */
export interface Runner {
  /** Steps that may run at once. */
  readonly jobs: number;
  run(job: Job, listener: StepListener): Promise<Made>;
  /** Stops what runs, at once when `force` is given. */
  close(force: boolean): Promise<void>;
}
