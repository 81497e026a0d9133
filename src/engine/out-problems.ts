import { isRemote } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { WantedNow } from '../publish/difference.ts';
import type { BuildRun } from './build-run.ts';
import { bucketDestination } from './destinations.ts';
import { folderProblems, manifestProblems } from './folder-problems.ts';
import { filesOf, isPublished, isWholeOut, outOf, publishedTogether, wantedOf } from './publishing.ts';
import type { TargetBuild } from './target-build.ts';

export type OutProblems = ReadonlyMap<GraphTarget, readonly string[]>;

/** What is wrong where fresh targets are published. A bucket is asked once for all targets that publish behind one prefix. */
export async function outProblemsOf(run: BuildRun): Promise<OutProblems> {
  const problems = new Map<GraphTarget, readonly string[]>();
  if (!(run.options.publish ?? true)) return problems;
  for (const [out, builds] of publishedTogether(run)) {
    const fresh = builds.filter(({ state }) => state === 'kept');
    if (fresh.length === 0) continue;
    const ofOut = await problemsOf(run, out, builds);
    for (const { target } of fresh) {
      const isManifest = target.rule.output === 'index' && !isRemote(out);
      problems.set(target, isManifest ? [...ofOut, ...manifestProblems(run, out)] : ofOut);
    }
  }
  return problems;
}

/** What is wrong in the folder of one target, if it is fresh. A bucket is not asked. */
export function ownFolderProblems(run: BuildRun, build: TargetBuild | undefined): string[] {
  const out = build?.state === 'kept' && isPublished(build.target) ? outOf(build.target, run) : undefined;
  return !build || out === undefined || isRemote(out) ? [] : folderProblems(run, out, wantedNow(run, out, [build]));
}

/** What was published there is compared with what fresh targets come to; of others it is not known. */
function wantedNow(run: BuildRun, out: string, builds: readonly TargetBuild[]): WantedNow {
  const fresh = builds.filter(({ state }) => state === 'kept');
  const isWhole = fresh.length === builds.length && isWholeOut(run, out, builds);
  return { wanted: isWhole ? wantedOf(builds) : undefined, files: () => filesOf(fresh) };
}

async function problemsOf(run: BuildRun, out: string, builds: readonly TargetBuild[]): Promise<string[]> {
  const now = wantedNow(run, out, builds);
  try {
    return isRemote(out) ? await bucketProblems(run, out, now) : folderProblems(run, out, now);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return [`${out}: ${error.message}`];
  }
}

async function bucketProblems(run: BuildRun, out: string, now: WantedNow): Promise<string[]> {
  // Nothing is known to be wrong where nobody may ask.
  if (run.options.offline) return [];
  const destination = await bucketDestination(run, out);
  try {
    return await destination.problems(now);
  } finally {
    destination.close();
  }
}
