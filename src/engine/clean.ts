import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import type { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import { survey } from './survey.ts';

const runsKept = 20;

export interface Cleaned {
  readonly removed: string[];
  readonly bytes: number;
}

/** Removes what no target of the config needs any more: blobs of earlier states, old runs. Published files and sources are never touched. */
export async function clean(project: Project, { dryRun, all }: { dryRun: boolean; all: boolean }): Promise<Cleaned> {
  const claims = await Promise.all(project.graph.targets.map(({ name }) => project.claims.take(`target ${name}`, project.signal)));
  try {
    if (all) return removeAll(project, dryRun);
    const needed = await survey(project, { targets: [] }, neededBlobs);
    const blobs = [...project.store.digests()].filter((digest) => !needed.has(digest));
    const bytes = blobs.reduce((sum, digest) => sum + (lstatSync(project.store.path(digest), { throwIfNoEntry: false })?.size ?? 0), 0);
    const runs = oldRuns(project);
    if (!dryRun) {
      for (const digest of blobs) project.store.remove(digest);
      for (const run of runs) rmSync(run, { recursive: true, force: true });
    }
    return {
      removed: [
        ...(blobs.length > 0 ? [`${blobs.length} blobs that no target needs`] : []),
        ...(runs.length > 0 ? [`${runs.length} old runs`] : []),
      ],
      bytes,
    };
  } finally {
    for (const { release } of claims) release();
  }
}

/** All bytes that a build of the config as it stands would look at. A target that is not fresh is no reason to keep or remove anything. */
async function neededBlobs(run: BuildRun): Promise<Set<Digest>> {
  const needed = new Set<Digest>();
  for (const build of run.targets.values()) {
    if (build.state === 'failed') {
      throw new BuildError('not-built', {
        message: `${build.target.name} can not be planned, so what it needs is not known`,
        hint: 'Mend it first, or use --all.',
        cause: build.error,
      });
    }
    for (const { digest } of Object.values(build.result?.outputs ?? {})) needed.add(digest);
    if (build.result?.lineage !== undefined) needed.add(build.result.lineage);
    const plan = await build.replay();
    for (const step of plan.steps) for (const { digest } of step.result?.parts ?? []) needed.add(digest);
  }
  return needed;
}

function oldRuns({ stateDir }: Project): string[] {
  const dir = join(stateDir, 'runs');
  try {
    return readdirSync(dir)
      .sort(byCodeUnit)
      .slice(0, -runsKept)
      .map((name) => join(dir, name));
  } catch {
    return [];
  }
}

function removeAll({ stateDir, store }: Project, dryRun: boolean): Cleaned {
  const bytes = [...store.digests()].reduce(
    (sum, digest) => sum + (lstatSync(store.path(digest), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  const names = readdirSync(stateDir).filter((name) => name !== 'claims' && name !== 'tmp');
  // What was published by dsbuild stays known: else the next build could not tell its own files from the user's.
  const gone = names.filter((name) => name !== 'published');
  if (!dryRun) for (const name of gone) rmSync(join(stateDir, name), { recursive: true, force: true });
  return { removed: gone.map((name) => join(stateDir, name)), bytes };
}
