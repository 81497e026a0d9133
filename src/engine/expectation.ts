import type { BuildEstimate, BuildSummary } from '../base/events.ts';
import type { BuildRun } from './build-run.ts';

/** How often a build is looked at until its first steps run. */
const everyMs = 100;

/**
 * What a build is expected to come to: said once, as soon as its first steps run, and compared with what it came to. A build that has
 * nothing to do is not estimated, and loads nothing for it.
 */
export class Expectation {
  #estimate: BuildEstimate | undefined;
  #isMade = false;

  /** @returns a function that ends the wait. */
  await(run: BuildRun): () => void {
    if (this.#isMade || run.options.dryRun) return () => {};
    const timer = setInterval(() => {
      if (run.stepsStarted === 0) return;
      clearInterval(timer);
      this.#isMade = true;
      // Nobody's build fails because somebody could not guess.
      this.#tell(run).catch(() => {});
    }, everyMs);
    timer.unref();
    return () => clearInterval(timer);
  }

  async #tell(run: BuildRun): Promise<void> {
    const { estimateOf, warnOfDisk } = await import('./estimating.ts');
    const estimate = run.isOver ? undefined : estimateOf(run);
    if (!estimate) return;
    this.#estimate = estimate;
    run.project.emit(estimate);
    warnOfDisk(run, estimate);
  }

  /** Keeps what the passes of a build showed, for the next one; and tells by how much the estimate was wrong, of a build that went to its end. */
  async end(runs: readonly BuildRun[], { ok, tookMs }: { ok: boolean; tookMs: number }): Promise<BuildSummary['estimate']> {
    if (runs.every(({ stepsStarted }) => stepsStarted === 0)) return undefined;
    const { learnFrom } = await import('./run-figures.ts');
    const { bytesWritten } = learnFrom(runs, { ok, tookMs });
    const estimate = this.#estimate;
    if (!estimate || !ok || estimate.isAtLeast) return undefined;
    return { tookMs: estimate.tookMs, error: estimate.tookMs / tookMs - 1, bytesOut: estimate.bytesOut, bytesWritten };
  }
}
