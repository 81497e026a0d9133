import { isRemote } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { BuildRun } from './build-run.ts';
import { bucketDestination } from './destinations.ts';
import { folderProblems } from './folder-problems.ts';
import { isWholeOut, publishedTogether, wantedOf } from './publishing.ts';
import type { TargetBuild } from './target-build.ts';

export type OutProblems = ReadonlyMap<GraphTarget, readonly string[]>;

/** What is wrong where fresh targets are published. A bucket is asked once for all targets that publish behind one prefix. */
export async function outProblemsOf(run: BuildRun): Promise<OutProblems> {
  const problems = new Map<GraphTarget, readonly string[]>();
  if (!(run.options.publish ?? true)) return problems;
  for (const [out, builds] of publishedTogether(run)) {
    const fresh = builds.filter(({ state }) => state === 'kept');
    if (fresh.length === 0) continue;
    const ofBucket = isRemote(out) ? await bucketProblems(run, out, builds) : undefined;
    for (const { target } of fresh) problems.set(target, ofBucket ?? folderProblems(run, target, out));
  }
  return problems;
}

async function bucketProblems(run: BuildRun, out: string, builds: readonly TargetBuild[]): Promise<string[]> {
  // Nothing is known to be wrong where nobody may ask.
  if (run.options.offline) return [];
  const isKnown = isWholeOut(run, out, builds) && builds.every(({ state }) => state === 'kept');
  const destination = await bucketDestination(run, out);
  try {
    return await destination.problems(isKnown ? wantedOf(builds) : undefined);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return [`${out}: ${error.message}`];
  } finally {
    destination.close();
  }
}
