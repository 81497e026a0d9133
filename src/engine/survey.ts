import type { BuildOptions } from './api.ts';
import { wantedTargets } from './build.ts';
import { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import { TargetBuild } from './target-build.ts';

const silent = (): void => undefined;

/** Plans everything and runs nothing: what `status`, `why`, `head` and `clean` read from. */
export async function survey<T>(project: Project, options: BuildOptions, read: (run: BuildRun) => Promise<T> | T): Promise<T> {
  const run = new BuildRun({ ...project, emit: silent }, { ...options, dryRun: true, keepGoing: true });
  try {
    for (const target of wantedTargets(project, options)) run.targets.set(target, new TargetBuild(target, run));
    for (const target of run.targets.values()) target.start();
    await Promise.all([...run.targets.values()].map((target) => target.done));
    return await read(run);
  } finally {
    await run.runner.close(true);
  }
}
