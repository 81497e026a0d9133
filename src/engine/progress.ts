import type { BuildRun } from './build-run.ts';

const everyMs = 200;

/**
 * Tells now and then how many steps each target has asked for and how many are over. Not per step: hits alone may be 100,000.
 * @returns a function that ends it.
 */
export function reportProgress(run: BuildRun): () => void {
  const told = new Map<string, string>();
  const timer = setInterval(() => {
    for (const { target, plan, state } of run.targets.values()) {
      if (!plan || state !== 'building') continue;
      const { ends } = run.tally(plan);
      const done = Object.values(ends).reduce((sum, count) => sum + count, 0);
      const figures = `${done} ${plan.steps.length}`;
      if (told.get(target.name) === figures) continue;
      told.set(target.name, figures);
      run.project.emit({ type: 'steps-planned', target: target.name, planned: plan.steps.length, done, hit: ends.hit });
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
