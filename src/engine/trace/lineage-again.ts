import { digestHex } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import type { TargetResult } from '../../cache/results.ts';
import { undefinedIfUnknown } from '../../execute/pending.ts';
import { outputNames, type PlanRun } from '../../execute/plan-run.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import { CollectionView, encodeCollection } from '../../rule/collection.ts';
import type { BuildRun } from '../build-run.ts';
import type { LastPlan } from '../last-plan.ts';
import { recordLineage } from '../lineage-record.ts';
import { decodeLineageTable } from '../lineage-table.ts';
import type { Project } from '../project.ts';
import { survey } from '../survey.ts';
import type { TargetBuild } from '../target-build.ts';
import type { LastBuilt, TracedOutput } from './traced-target.ts';

const notBuilt = ({ name }: GraphTarget): BuildError =>
  new BuildError('not-built', { message: `${name} is not built as the config stands`, hint: `Build it first: dsbuild build ${name}` });

/** A plan all of whose steps have results. */
async function finishedPlan(build: TargetBuild): Promise<PlanRun | undefined> {
  if (build.state === 'failed' || !build.isExact) return undefined;
  const plan = build.state === 'kept' ? await build.replay().catch(undefinedIfUnknown) : build.plan;
  return plan?.steps.every(({ outputs }) => outputs !== undefined) ? plan : undefined;
}

const notHere = ({ name }: GraphTarget): BuildError =>
  new BuildError('not-here', {
    message: `${name} came from the remote cache, and what tells where its rows come from did not`,
    hint: `Fetch it: dsbuild cache pull ${name}`,
  });

/** Digests of the collections that a target's plan read. */
const readBy = ({ inputs }: PlanRun): string[] => inputs.map(({ parts }) => digestHex(encodeCollection(parts)));

/** The table made from the results of steps, as a build would have left it: all of them are known, so nothing runs. */
async function madeAgain(
  target: GraphTarget,
  run: BuildRun,
): Promise<Omit<LastBuilt, 'sources'> & { bytes: Uint8Array; result?: TargetResult }> {
  const build = run.targets.get(target) as TargetBuild;
  const plan = await finishedPlan(build);
  if (!plan) throw build.state === 'kept' && build.result?.origin ? notHere(target) : notBuilt(target);
  const { store } = run.project;
  const bytes = recordLineage({ plan, read: readBy(plan), local: run.locals.get(target.name), chunkOf: run.chunkOf, store });
  const table = decodeLineageTable(bytes.slice());
  if (!table) throw notBuilt(target);
  const outputs = new Map(outputNames(target).map((name) => [name, outputOf(plan, name)]));
  return { table, outputs, bytes, figures: build.result ?? run.tally(plan), ...(build.result && { result: build.result }) };
}

function outputOf(plan: PlanRun, name: string): TracedOutput {
  const bytes = encodeCollection(plan.outputs[name]?.parts ?? []);
  return { digest: digestHex(bytes), parts: new CollectionView(bytes) };
}

/**
 * Makes the lineage table of a target again: of a result that an earlier version of dsbuild left, or whose table is gone. It is kept, so that
 * the next question finds it. @throws {BuildError} `not-built` when a step of the target has no result.
 */
export async function lineageAgain(project: Project, target: GraphTarget, last: LastPlan | undefined): Promise<Omit<LastBuilt, 'sources'>> {
  const { bytes, result, ...built } = await survey(project, { targets: [target.name] }, (run) => madeAgain(target, run));
  const known = last && project.results.target(last.key);
  if (last && known && result && sameOutputs(known, result)) {
    project.results.putTarget(last.key, { ...known, lineage: project.store.put(bytes) });
  }
  return built;
}

const sameOutputs = (a: TargetResult, b: TargetResult): boolean =>
  Object.entries(a.outputs).every(([name, { digest }]) => b.outputs[name]?.digest === digest);
