import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import type { CollectionResult, TargetResult } from '../cache/results.ts';
import { type Balance, sumTerms } from '../execute/laws.ts';
import { targetBalances } from '../execute/ledger.ts';
import { outputNames } from '../execute/plan-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { type Part, sumOf } from '../rule/part.ts';
import { readTable } from '../source/table.ts';
import { type SourceFile, TableView } from '../source/view.ts';
import type { RemoteUse } from './api.ts';
import { takeResults } from './fetching.ts';
import { type LastPlan, lastTableOf, readLastPlan } from './last-plan.ts';
import { shownPath } from './places.ts';
import type { Project } from './project.ts';
import { collectionResult, figuresOf, isSelection } from './target-result.ts';
import { outdatedBy } from './trace/outdated.ts';
import { unknownTarget } from './unknown-target.ts';
import { partsOf } from './verify/last-results.ts';

/** What one group of an output holds. */
export interface GroupStats {
  readonly group: string;
  readonly parts: number;
  readonly documents: number;
  readonly samples: number;
  readonly sequences: number;
  readonly tokens: number;
  /** Absent where documents are selected and not copied. */
  readonly bytes?: number;
}

/** The local files that a target was made from: how many, and the largest. */
export interface SourceStats {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
  /** Paths below the project's folder. */
  readonly largest: readonly SourceFile[];
}

/** A target as it was last built: what it holds, and where its documents and tokens went. */
export interface TargetStats {
  readonly target: string;
  readonly rule: string;
  readonly outputs: readonly { readonly output: string; readonly groups: readonly GroupStats[] }[];
  /** Both sides of each law that applies; they are equal, or the build had failed. */
  readonly ledger: readonly (Balance & { readonly total: number })[];
  readonly notes: readonly string[];
  readonly sources?: SourceStats;
}

const largestMax = 10;

function groupsOf(parts: readonly Part[]): GroupStats[] {
  const groups = new Map<string, Part[]>();
  for (const part of parts) {
    const group = groups.get(part.group);
    if (group) group.push(part);
    else groups.set(part.group, [part]);
  }
  return [...groups]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([group, own]) => ({
      group,
      parts: own.length,
      documents: sumOf(own, 'records'),
      samples: sumOf(own, 'samples'),
      sequences: sumOf(own, 'sequences'),
      tokens: sumOf(own, 'tokens'),
      ...(!own.some(isSelection) && { bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) }),
    }));
}

/** What a target read when it was last built, in the order of its inputs; undefined when a list of it was removed since. */
function readBy(target: GraphTarget, last: LastPlan, project: Project): CollectionResult[] | undefined {
  const digests = (last.manifest.inputs ?? {}) as Readonly<Record<string, Digest>>;
  const read = target.inputs.map(({ input, key }) => {
    const digest = digests[key === '' ? input : `${input}.${key}`];
    const parts = digest === undefined ? undefined : partsOf(project, digest);
    return digest === undefined || parts === undefined ? undefined : collectionResult(digest, parts);
  });
  return read.every((one) => one !== undefined) ? (read as CollectionResult[]) : undefined;
}

/** Of a target that reads local files. */
function sourcesOf({ name }: GraphTarget, { stateDir, settings, root }: Project): { sources?: SourceStats } {
  const table = readTable(lastTableOf(stateDir, name), settings.chunkBytes);
  if (!table) return {};
  const files = [...new TableView(table).files()];
  const sum = (of: (file: SourceFile) => number): number => files.reduce((total, file) => total + of(file), 0);
  const largest = files.sort((a, b) => b.bytes - a.bytes || byCodeUnit(a.path, b.path)).slice(0, largestMax);
  return {
    sources: {
      files: files.length,
      lines: sum(({ lines }) => lines),
      bytes: sum(({ bytes }) => bytes),
      largest: largest.map((file) => ({ ...file, path: shownPath(root, file.path) })),
    },
  };
}

function ledgerOf(
  target: GraphTarget,
  result: TargetResult,
  { last, project }: { last: LastPlan; project: Project },
): TargetStats['ledger'] {
  const read = readBy(target, last, project);
  const main = result.outputs[outputNames(target)[0] as string];
  const parts = main && partsOf(project, main.digest);
  if (!read || !main || !parts) return [];
  const balances = targetBalances(figuresOf(target, { read, main, parts, counters: result.counters }));
  return balances.map((balance) => ({ ...balance, total: sumTerms(balance.left) }));
}

/** Whether the lists of what it came to are here. */
function isKnown({ name }: GraphTarget, { stateDir, results, store }: Project): boolean {
  const result = results.target(readLastPlan(stateDir, name)?.key ?? '');
  return result !== undefined && Object.values(result.outputs).every(({ digest }) => store.locate(digest) !== undefined);
}

/**
 * What a target held when it was last built, here or, if never here, elsewhere; no data is read.
 *
 * @throws {BuildError} `unknown-target`, `not-built`.
 */
export async function stats(project: Project, name: string, use: RemoteUse = { remote: false }): Promise<TargetStats> {
  const target = project.graph.get(name) ?? project.graph.outputs.get(name)?.target;
  if (!target) throw unknownTarget(name, project);
  if (!isKnown(target, project)) await takeResults(project, [target.name], use);
  const last = readLastPlan(project.stateDir, target.name);
  const result = last && project.results.target(last.key);
  if (!last || !result)
    throw new BuildError('not-built', { message: `${name} was not built yet`, hint: `Build it first: dsbuild build ${target.name}` });
  const outputs = outputNames(target).flatMap((output) => {
    const parts = partsOf(project, result.outputs[output]?.digest ?? '');
    return parts && parts.length > 0 ? [{ output, groups: groupsOf(parts) }] : [];
  });
  const ledger = ledgerOf(target, result, { last, project });
  const notes = outdatedBy(target, last, project);
  return { target: target.name, rule: target.rule.name, outputs, ledger, notes, ...sourcesOf(target, project) };
}
