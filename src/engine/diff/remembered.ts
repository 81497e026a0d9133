import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { UnknownYet } from '../../execute/pending.ts';
import type { PlanRun } from '../../execute/plan-run.ts';
import type { Part } from '../../rule/part.ts';
import { LineMemos } from '../line-memos.ts';
import type { Project } from '../project.ts';
import { survey } from '../survey.ts';
import type { TargetBuild } from '../target-build.ts';

/** Hashes of the lines of chunks that targets read once, as far as their row memos are here and nothing else of those targets changed. */
export async function rememberedLines(project: Project, chunks: readonly Part[]): Promise<Map<Digest, readonly string[]>> {
  const readers = project.graph.targets.filter(({ rule }) => rule.steps.some(({ rowPure }) => rowPure !== undefined));
  const found = new Map<Digest, readonly string[]>();
  if (readers.length === 0 || chunks.length === 0) return found;
  await survey(project, { targets: readers.map(({ name }) => name), resultsOnly: true }, async (run) => {
    const memos = new LineMemos(run);
    for (const reader of readers) {
      const build = run.targets.get(reader);
      const plan = build && (build.plan ?? (await planOf(build)));
      if (plan) memos.learn(plan, chunks);
    }
    for (const { digest } of chunks) {
      const hashes = memos.of(digest);
      if (hashes) found.set(digest, hashes);
    }
  });
  return found;
}

/** The plan of a target that is fresh: its steps are known, and none runs. */
async function planOf(build: TargetBuild): Promise<PlanRun | undefined> {
  try {
    return await build.replay();
  } catch (error) {
    // As far as it came it is good enough; what can not be planned tells nothing.
    if (error instanceof BuildError || error instanceof UnknownYet) return build.replayed;
    throw error;
  }
}
