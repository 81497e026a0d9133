import { drawn } from '../base/draw.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphOutput, GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Part } from '../rule/part.ts';
import type { HeadOptions, HeadRow } from './api.ts';
import type { BuildRun } from './build-run.ts';
import { decoderFor } from './decoder.ts';
import { eosRead } from './end-of-documents.ts';
import { documentsIn, hasNumbers, partRows, picked, rowsShown } from './part-rows.ts';
import { placeOf } from './places.ts';
import type { Project } from './project.ts';
import { type ReasonOf, reasonsOfRejected, rejectedOutput } from './rejected.ts';
import { type IdsKnown, pieced } from './row-pieces.ts';
import { measuredKind } from './statistics/companion.ts';
import { surveyed } from './survey.ts';
import type { TargetBuild } from './target-build.ts';
import { unbuiltBecause } from './target-end.ts';
import { unknownTarget } from './unknown-target.ts';

/** The first rows of what a target holds, or some from anywhere: documents, token ids, training rows, or a file's lines. */
export async function* head(project: Project, name: string, options: HeadOptions): AsyncGenerator<HeadRow> {
  const named = project.graph.outputs.get(name);
  if (!named) throw unknownTarget(name, project);
  const { remote = false, offline = false } = options;
  const survey = { targets: [named.target.name], remote, offline, resultsOnly: true };
  yield* surveyed(project, survey, (run) => shown(named, { name, options, run }));
}

async function* shown(named: GraphOutput, asked: Asked): AsyncGenerator<HeadRow> {
  const { options, run } = asked;
  const decodes = options.texts && !options.rejected && holdsIds(named);
  let left = options.rows;
  let known: IdsKnown | undefined;
  for await (const found of rowsOf(named, asked)) {
    if (decodes) known ??= await knownOf(run, named.target);
    yield known ? { ...found, ...pieced(found.row, known) } : found;
    if (--left <= 0) return;
  }
}

/** Documents may have a field of ids too, made by nobody knows which tokenizer. */
const holdsIds = (output: GraphOutput): boolean => ['tokens', 'shards'].includes(measuredKind(output) ?? '');

interface Asked {
  readonly name: string;
  readonly options: HeadOptions;
  readonly run: BuildRun;
}

function rowsOf({ target, output }: GraphOutput, asked: Asked): AsyncIterable<HeadRow> {
  const { name, options, run } = asked;
  const build = run.targets.get(target) as TargetBuild;
  if (build.result === undefined) throw notBuilt(build, name);
  if (!options.rejected) return rowsIn(build, output, asked);
  if (!Object.hasOwn(build.result.outputs, rejectedOutput)) return badRecords(build, asked);
  return rejectedIn(build, { ...asked, name: `${target.name}.${rejectedOutput}` });
}

function notBuilt(build: TargetBuild, name: string): unknown {
  if (build.end?.how === 'failed') return build.error;
  const message = build.end ? `${name} can not be built: ${unbuiltBecause(build)}` : `${name} is not built as the config stands`;
  return new BuildError('not-built', { message, hint: `Build it first: dsbuild build ${build.target.name}` });
}

/** Records that were left out because they could not be used, with their places. */
async function* badRecords(build: TargetBuild, { options, run }: Asked): AsyncGenerator<HeadRow> {
  const bad = build.result?.quarantined ?? [];
  const only = options.seed === undefined ? undefined : drawn(bad.length, options.rows, options.seed);
  for await (const [, one] of picked(bad, only)) {
    yield { group: '', row: { where: placeOf(one, run), reason: one.reason, detail: one.detail } };
  }
}

/** A part and which of its rows are wanted. */
interface Share {
  readonly part: Part;
  /** Rows of all parts before it. */
  readonly before: number;
  readonly only?: readonly number[];
}

/** The parts to be read. Of a sample those that hold a row of it: which they are is known from the parts' facts. */
function* sharesOf(parts: readonly Part[], { rule }: GraphTarget, { rows, seed }: HeadOptions): Generator<Share> {
  const counts = parts.map((part) => rowsShown(part, rule));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const wanted = seed === undefined ? undefined : drawn(total, rows, seed);
  let [before, next] = [0, 0];
  for (const [i, part] of parts.entries()) {
    const end = before + (counts[i] as number);
    const only: number[] = [];
    for (; wanted && (wanted[next] ?? end) < end; next++) only.push((wanted[next] as number) - before);
    if (!wanted) yield { part, before };
    else if (only.length > 0) yield { part, before, only };
    before = end;
  }
}

async function* rowsIn(build: TargetBuild, output: string, { name, options, run }: Asked): AsyncGenerator<HeadRow> {
  const { target } = build;
  for (const { part, before, only } of sharesOf(build.parts(output), target, options)) {
    for await (const { number, row } of partRows(part, { target, run }, only)) {
      yield { group: part.group, ...(hasNumbers(part, target.rule) && { place: `${name}:${before + number}` }), row };
    }
  }
}

/** Dropped documents, each with the reason for which it was dropped. */
async function* rejectedIn(build: TargetBuild, { name, options, run }: Asked): AsyncGenerator<HeadRow> {
  const { target } = build;
  const reasonsIn = await reasonsOfRejected(build, run);
  for (const { part, before, only } of sharesOf(build.parts(rejectedOutput), target, options)) {
    if (part.facts.records === 0) continue;
    const reasonOf = await reasonsIn(part);
    for await (const [number, { record, document }] of picked(await documentsIn(part, { target, run }), only)) {
      yield { group: part.group, place: `${name}:${before + number}`, row: document, ...reasonFor(record, reasonOf) };
    }
  }
}

function reasonFor(record: number, reasonOf: ReasonOf): { reason?: string } {
  const reason = reasonOf(record);
  return reason === undefined ? {} : { reason };
}

/** As the config stands: so the target was built, here or elsewhere. */
async function knownOf({ project, targets }: BuildRun, target: GraphTarget): Promise<IdsKnown> {
  const manifestOf = (one: GraphTarget): Manifest | undefined => targets.get(one)?.currentManifest();
  const manifest = manifestOf(target);
  return { decoder: await decoderFor(project, target, manifestOf), eosId: manifest && eosRead(project, manifest) };
}
