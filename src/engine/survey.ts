import type { BuildOptions } from './api.ts';
import { wantedTargets } from './build.ts';
import { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import { openRemote } from './remote-settings.ts';
import { TargetBuild } from './target-build.ts';

const silent = (): void => undefined;

export interface SurveyOptions extends BuildOptions {
  /** See `BuildRun.resultsOnly`. */
  readonly resultsOnly?: boolean;
}

/** A pass that plans everything and runs nothing. Whoever asks for it ends it. The remote cache is asked only where options say so; only of that anything is told. */
async function planned(given: Project, { resultsOnly = false, ...options }: SurveyOptions): Promise<BuildRun> {
  const project = { ...given, emit: silent };
  const wanted = wantedTargets(project, options);
  const run = new BuildRun(project, { ...options, dryRun: true, keepGoing: true });
  run.remote = options.remote ? await openRemote(given, resultsOnly ? { ...options, failuresMax: 1 } : options) : undefined;
  run.resultsOnly = resultsOnly;
  for (const target of wanted) run.targets.set(target, new TargetBuild(target, run));
  for (const target of run.targets.values()) target.start();
  await Promise.all([...run.targets.values()].map((target) => target.done));
  return run;
}

async function end({ runner, remote }: BuildRun): Promise<void> {
  await runner.close(true);
  remote?.close();
}

/** Plans everything and runs nothing: what `status`, `why` and `clean` read from. */
export async function survey<T>(project: Project, options: SurveyOptions, read: (run: BuildRun) => Promise<T> | T): Promise<T> {
  const run = await planned(project, options);
  try {
    return await read(run);
  } finally {
    await end(run);
  }
}

/** The same for what is read piece by piece. */
export async function* surveyed<T>(project: Project, options: SurveyOptions, read: (run: BuildRun) => AsyncIterable<T>): AsyncGenerator<T> {
  const run = await planned(project, options);
  try {
    yield* read(run);
  } finally {
    await end(run);
  }
}
