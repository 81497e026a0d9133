import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { takeInventory } from '../cache/inventory.ts';
import { oldRuns } from '../cache/leftovers.ts';
import type { TargetResult } from '../cache/results.ts';
import type { Store } from '../cache/store.ts';
import { sweep } from '../cache/sweep.ts';
import type { BuildRun } from './build-run.ts';
import { gcClaim } from './gc/collect.ts';
import { heldBy } from './held.ts';
import { readLineageTable } from './lineage-table.ts';
import type { Project } from './project.ts';
import { survey } from './survey.ts';

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
    const { release } = await project.claims.take(gcClaim, project.signal);
    try {
      return removeUnneeded(project, needed, dryRun);
    } finally {
      release();
    }
  } finally {
    for (const { release } of claims) release();
  }
}

function removeUnneeded(project: Project, needed: ReadonlySet<Digest>, dryRun: boolean): Cleaned {
  const { store, stateDir } = project;
  const { youngMs } = project.live.look();
  const inventory = takeInventory(store);
  const blobs = inventory.blobs.filter(({ digest, writtenMs }) => !needed.has(digest) && writtenMs < youngMs);
  const runs = oldRuns(stateDir);
  let bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0);
  if (!dryRun) {
    const evict = new Set(blobs.map(({ digest }) => digest));
    const swept = sweep(store, { inventory, evict, youngMs, goalBytes: Number.POSITIVE_INFINITY });
    store.size.measured(swept.bytes);
    bytes = inventory.bytes - swept.bytes;
    for (const run of runs) rmSync(run, { recursive: true, force: true });
  }
  return {
    removed: [
      ...(blobs.length > 0 ? [`${blobs.length} blobs that no target needs`] : []),
      ...(runs.length > 0 ? [`${runs.length} old runs`] : []),
    ],
    bytes,
  };
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
    if (build.result) for (const { digest } of heldBy(build.result, run.project.store)) needed.add(digest);
    if (build.state === 'kept' && isWhole(build.result, run.project.store)) continue;
    const plan = await build.replay();
    for (const step of plan.steps) for (const { digest } of step.result?.parts ?? []) needed.add(digest);
  }
  return needed;
}

/** Whether the lists of a result tell all that it holds. */
const isWhole = (result: TargetResult | undefined, store: Store): boolean =>
  result?.lineage !== undefined && readLineageTable(store, result.lineage) !== undefined;

function removeAll({ stateDir, store }: Project, dryRun: boolean): Cleaned {
  const { bytes } = takeInventory(store);
  const names = readdirSync(stateDir).filter((name) => !['builds', 'claims', 'tmp'].includes(name));
  // What was published by dsbuild stays known: else the next build could not tell its own files from the user's.
  const gone = names.filter((name) => name !== 'published');
  if (!dryRun) for (const name of gone) rmSync(join(stateDir, name), { recursive: true, force: true });
  return { removed: gone.map((name) => join(stateDir, name)), bytes };
}
