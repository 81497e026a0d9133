import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import type { BuildEvent, ShownError } from '../../base/events.ts';
import type { Runner } from '../../execute/runner.ts';
import type { GraphOutput, GraphTarget } from '../../graph/graph.ts';
import { keyOf, targetManifest } from '../../plan/manifest.ts';
import { Statistics } from '../../rule/statistics.ts';
import type { RemoteUse } from '../api.ts';
import { build } from '../build.ts';

import { decoderFor } from '../decoder.ts';
import { eosRead } from '../end-of-documents.ts';
import { type LastPlan, readLastPlan } from '../last-plan.ts';
import type { Project } from '../project.ts';
import { survey } from '../survey.ts';
import { bytesOf, partsOf } from '../verify/last-results.ts';
import { graphFor, hasNamesake, inputName, type MeasuredKind, measuredKind, statisticsTarget } from './companion.ts';
import { type Distributions, distributionsOf } from './shape.ts';

/** How far the counting is, in steps. */
export interface Counting {
  readonly done: number;
  readonly total: number;
}

/** Why there are no distributions, as a sentence. */
export interface NoDistributions {
  readonly missing: string;
}

export interface CountingHooks {
  tell(counting: Counting): void;
  /** Who runs the steps; without it workers of its own. */
  readonly makeRunner?: () => Runner;
  /** Whether what they read may be fetched; as in a build when nothing is said. */
  readonly use?: RemoteUse;
}

interface Wanted {
  readonly name: string;
  readonly of: GraphOutput;
  readonly kind: MeasuredKind;
  readonly last: LastPlan;
  /** Of the collection as it was last built. */
  readonly collection: Digest;
}

/**
 * How long and how full what a target holds is, and which tokens. Known counts of exactly this collection are taken without planning
 * anything; else an implicit target counts, part by part, on what is built as the config stands.
 *
 * @returns undefined where the target's kind has no lengths.
 */
export async function distributions(
  project: Project,
  name: string,
  hooks: CountingHooks,
): Promise<Distributions | NoDistributions | undefined> {
  const of = project.graph.outputs.get(name);
  const kind = of && measuredKind(of);
  const last = of && readLastPlan(project.stateDir, of.target.name);
  const collection = last?.outputs[of?.output ?? ''];
  if (!of || !kind || !last || collection === undefined) return undefined;
  if (hasNamesake(project)) return { missing: 'lengths are not counted: the config defines a rule of its own called "statistics"' };
  const wanted = { name, of, kind, last, collection };
  const target = await statisticsTarget(project, { ...wanted, options: optionsFor(project, wanted) });
  const found = known(project, target, wanted) ?? (await counted(project, target, { wanted, hooks }));
  if ('missing' in found) return found;
  const statistics = new Statistics();
  statistics.merge(found.bytes);
  const decoder =
    statistics.vocabulary.used === 0
      ? undefined
      : await decoderFor(project, of.target, (target) => readLastPlan(project.stateDir, target.name)?.manifest);
  return distributionsOf(statistics, { output: of.output, steps: found.steps, decoder });
}

interface Counted {
  readonly bytes: Buffer;
  readonly steps: Distributions['steps'];
}

/** Shards do not say which token ends a document. */
function optionsFor(project: Project, { kind, last }: Wanted): { eosId?: number } {
  const eosId = kind === 'shards' ? eosRead(project, last.manifest) : undefined;
  return eosId === undefined ? {} : { eosId };
}

/** What is known of exactly this collection. */
function known(project: Project, { rule, options }: GraphTarget, { kind, collection }: Wanted): Counted | undefined {
  const manifest = { ...(options as { eosId?: number }) };
  const inputs = { [inputName(kind)]: collection };
  const bytes = read(project, keyOf(targetManifest({ rule, options: manifest, inputs, settings: project.settings })));
  return bytes && { bytes, steps: { ran: 0, known: 0 } };
}

function read(project: Project, key: Digest): Buffer | undefined {
  const digest = project.results.target(key)?.outputs['main']?.digest;
  const [part] = (digest !== undefined && partsOf(project, digest)) || [];
  const bytes = part && bytesOf(project, part.digest);
  // Damaged bytes are in the way of those that are made again.
  if (part && !bytes) project.store.remove(part.digest);
  return bytes;
}

async function counted(
  project: Project,
  target: GraphTarget,
  { wanted, hooks }: { wanted: Wanted; hooks: CountingHooks },
): Promise<Counted | NoDistributions> {
  const { name, of } = wanted;
  const within = { ...project, graph: graphFor(target, project.graph) };
  const isBuilt = await survey(
    within,
    { targets: [of.target.name], ...hooks.use, resultsOnly: true },
    ({ targets }) => targets.get(of.target)?.result !== undefined,
  );
  if (!isBuilt) return { missing: `${name} is not built as the config stands: lengths are counted after dsbuild build ${of.target.name}` };
  // What is known was looked for: if there is a result, then of bytes that are gone.
  for (const force of [false, true]) {
    const steps = await buildTarget(within, target, { ...hooks, force });
    const bytes = read(project, readLastPlan(project.stateDir, target.name)?.key ?? '');
    if (bytes) return { bytes, steps };
  }
  return { missing: 'what was counted is gone again: another dsbuild cleans up' };
}

async function buildTarget(
  project: Project,
  { name }: GraphTarget,
  { force, tell, makeRunner, use }: CountingHooks & { force: boolean },
): Promise<Distributions['steps']> {
  let failed: ShownError | undefined;
  const emit = (event: BuildEvent): void => {
    if (event.type === 'steps-planned' && event.target === name) tell({ done: event.done, total: event.planned });
    else if (event.type === 'target-failed') failed ??= event.error;
  };
  const { ok, steps } = await build({ ...project, emit }, { targets: [name], publish: false, force, ...use }, makeRunner);
  if (ok) return { ran: steps.ran + steps.restored, known: steps.hit };
  const { code, ...about } = failed ?? { code: 'not-counted', message: 'it could not be counted' };
  throw new BuildError(code, about);
}
