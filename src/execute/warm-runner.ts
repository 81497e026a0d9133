import type { Job, Made } from './job.ts';
import type { Runner, StepListener } from './runner.ts';

/** Workers that outlive a build: with their tokenizers loaded they begin the next one at once. */
export class WarmRunner implements Runner {
  readonly jobs: number;
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
    this.jobs = runner.jobs;
  }

  run(job: Job, listener: StepListener): Promise<Made> {
    return this.#runner.run(job, listener);
  }

  /** A build that ends leaves the workers to the next: none of its steps runs any more. */
  async close(): Promise<void> {}

  /** Ends the workers. */
  end(): Promise<void> {
    return this.#runner.close(true);
  }
}
