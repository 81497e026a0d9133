import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { readPartIfThere } from '../../cache/part-reader.ts';
import type { RemoteGcReport, RemoteGcRequest } from '../../cache/remote/collect.ts';
import { CollectionView } from '../../rule/collection.ts';
import type { BuildRun } from '../build-run.ts';
import { lastPlans } from '../last-plan.ts';
import type { Project } from '../project.ts';
import type { BuildRemote } from '../remote.ts';
import { openRemote } from '../remote-settings.ts';
import type { RemoteReason } from '../remote-signer.ts';
import { survey } from '../survey.ts';

export interface RemoteGc {
  /** Records of this age and more go, if the config does not need them. */
  readonly olderThanMs: number;
  readonly dryRun: boolean;
  /** Contents that nothing names stay for so long: a day by default. */
  readonly graceMs?: number;
}

/** A collection as it is told: by names of targets, where this folder knows them. */
export interface RemoteGcTold extends Omit<RemoteGcReport, 'targets'> {
  /** Without a name: of other folders, or of configs that nobody remembers here. */
  readonly targets: readonly { readonly target: string | undefined; readonly records: number }[];
}

const dayMs = 24 * 60 * 60 * 1000;

interface NeededKeys {
  readonly targets: Set<Digest>;
  readonly steps: Set<Digest>;
}

/** What a build of the config as it stands would ask for, and what was last built here. */
async function neededKeys(run: BuildRun): Promise<NeededKeys> {
  const needed: NeededKeys = { targets: new Set(), steps: new Set() };
  for (const { plan } of lastPlans(run.project.stateDir)) needed.targets.add(plan.key);
  for (const build of run.targets.values()) {
    const key = build.keyNow();
    if (key !== undefined) needed.targets.add(key);
    const plan = build.state === 'failed' ? undefined : await build.replay().catch(() => undefined);
    for (const { key: step } of plan?.steps ?? []) if (step !== undefined) needed.steps.add(step);
  }
  return needed;
}

function partsIn(bytes: Uint8Array | undefined): Digest[] | undefined {
  try {
    const view = bytes && new CollectionView(Buffer.from(bytes));
    return view && Array.from({ length: view.count }, (_, i) => view.digest(i));
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

/** The parts of a list that came with its record, lies here, or is fetched. */
async function partsOf(
  digest: Digest,
  inline: Uint8Array | undefined,
  { project, remote }: { project: Project; remote: BuildRemote },
): Promise<Digest[] | undefined> {
  const here = (): Buffer | undefined => readPartIfThere(digest, project.store.locate(digest));
  const found = inline ?? here();
  if (found) return partsIn(found);
  return (await remote.fetch(digest)) ? partsIn(here()) : undefined;
}

/**
 * Collects in the scope of the remote cache that this config writes.
 *
 * @throws {BuildError} `no-remote`; `remote-failed` when it did not answer, and `remote-read-only` when nothing may be written there.
 */
export async function collectRemote(project: Project, { olderThanMs, dryRun, graceMs = dayMs }: RemoteGc): Promise<RemoteGcTold> {
  const needed = await survey(project, { targets: [] }, neededKeys);
  const remote = (await openRemote(project, { requireRemote: true })) as BuildRemote;
  let trouble: RemoteReason | undefined;
  try {
    if (!dryRun) assertWritable(remote);
    const now = Date.now();
    const request: RemoteGcRequest = {
      ...needed,
      oldMs: now - olderThanMs,
      graceMs: now - graceMs,
      dryRun,
      partsOf: (digest, inline) => partsOf(digest, inline, { project, remote }),
    };
    const report = await remote.collect(request);
    if (report) return { ...report, targets: namedTargets(project, report.targets) };
    trouble = remote.trouble();
  } finally {
    remote.close();
  }
  throw new BuildError('remote-failed', {
    message: `the remote cache did not do all that was asked of it${trouble ? ` (${trouble.message})` : ''}: what was not removed by then is still there`,
    hint: trouble?.hint ?? 'dsbuild doctor --online tells why; then collect once more.',
  });
}

/** What is kept is written anew, and signed where that is asked for. @throws {BuildError} `remote-read-only` */
function assertWritable({ whyReadOnly }: BuildRemote): void {
  if (!whyReadOnly) return;
  throw new BuildError('remote-read-only', {
    message: `nothing can be collected on the remote cache, because it may only be read: ${whyReadOnly.message}`,
    hint: `${whyReadOnly.hint ?? 'Collect with a config that may write.'} With -n it says what would go.`,
  });
}

function namedTargets({ uses, stateDir }: Project, keys: readonly Digest[]): RemoteGcTold['targets'] {
  const names = new Map(uses.versions().map(({ target, key }) => [key, target]));
  for (const { plan } of lastPlans(stateDir)) names.set(plan.key, plan.target);
  const counts = new Map<string | undefined, number>();
  for (const key of keys) counts.set(names.get(key), (counts.get(names.get(key)) ?? 0) + 1);
  return [...counts].map(([target, records]) => ({ target, records })).sort((a, b) => b.records - a.records);
}
