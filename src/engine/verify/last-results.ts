import type { Digest } from '../../base/digest.ts';
import { readPartIfThere } from '../../cache/part-reader.ts';
import type { TargetResult } from '../../cache/results.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import { decodeCollection } from '../../rule/collection.ts';
import type { Part } from '../../rule/part.ts';
import { chunkCount, readTable } from '../../source/table.ts';
import { TableView } from '../../source/view.ts';
import { type LastPlan, lastTableOf, readLastPlan } from '../last-plan.ts';
import { heldDigests, type LineageTable, readLineageTable } from '../lineage-table.ts';
import type { Project } from '../project.ts';
import { tableFileOf } from '../resolve-sources.ts';

/** A target as it was last built. Nothing is planned, and nothing in the store is changed. */
export interface LastResult {
  readonly target: GraphTarget;
  readonly last: LastPlan;
  readonly result: TargetResult;
  /** Parts by output; without those outputs whose list is gone or damaged. */
  readonly parts: Readonly<Record<string, readonly Part[]>>;
  readonly table: LineageTable | undefined;
}

/** Bytes of the store, or undefined where they are not there or not whole. */
export const bytesOf = ({ store }: Project, digest: Digest): Buffer | undefined => readPartIfThere(digest, store.locate(digest));

/** The parts of a collection, if its list is there and whole. */
export function partsOf(project: Project, digest: Digest): readonly Part[] | undefined {
  const bytes = bytesOf(project, digest);
  return bytes && decodeCollection(bytes);
}

export function lastResultOf(project: Project, target: GraphTarget): LastResult | undefined {
  const last = readLastPlan(project.stateDir, target.name);
  const result = last && project.results.target(last.key);
  if (!last || !result) return undefined;
  const lists = Object.entries(result.outputs).map(([name, { digest }]) => [name, partsOf(project, digest)] as const);
  const parts = Object.fromEntries(lists.flatMap(([name, found]) => (found ? [[name, found]] : [])));
  const table = result.lineage === undefined ? undefined : readLineageTable(project.store, result.lineage);
  return { target, last, result, parts, table };
}

/** Digests that a result names: its lists, its parts, and what its steps left. */
export function* digestsOf({ result, parts, table }: LastResult): Generator<Digest> {
  for (const { digest } of Object.values(result.outputs)) yield digest;
  if (result.lineage !== undefined) yield result.lineage;
  for (const list of Object.values(parts)) for (const { digest } of list) yield digest;
  if (table) yield* heldDigests(table);
}

/** Chunks that lie in source files: they are in no store. */
export function* sourceChunksOf({ stateDir, settings }: Project, { name }: GraphTarget): Generator<Digest> {
  for (const file of [tableFileOf(stateDir, name), lastTableOf(stateDir, name)]) {
    const table = readTable(file, settings.chunkBytes);
    const view = table && new TableView(table);
    for (let i = 0; table && view && i < chunkCount(table); i++) yield view.chunk(i).digest;
  }
}
