import type { Digest } from '../base/digest.ts';
import { readPart } from '../cache/part-reader.ts';
import { isBlank, linesOf } from '../rule/documents.ts';
import type { LocalSources } from '../source/local.ts';
import type { BuildRun } from './build-run.ts';
import { firstFew } from './first-few.ts';
import { lastChunks } from './last-chunks.ts';
import { lastTableOf, readLastPlan } from './last-plan.ts';
import { LineMemos, lineHash } from './line-memos.ts';
import { shownPath } from './places.ts';
import type { TargetBuild } from './target-build.ts';
import { partsOf } from './verify/last-results.ts';

/** More is not read again only to be told of. */
const bytesMax = 64 * 1024 * 1024;

/** A line of a changed chunk, and what tells whether it is one that was there before. */
interface Line {
  readonly hash: string;
  readonly chunk: number;
  readonly record: number;
}

/** Chunks that came in the place of others. */
interface Stretch {
  readonly gone: readonly Digest[];
  readonly come: readonly number[];
}

/**
 * Which lines of a target's sources are not those of its last build, as places. What the lines were is read from the row memos of the targets
 * that read them: undefined when those do not tell, or when too much changed.
 *
 * @param run a dry run that planned the target and its readers.
 */
export function changedLines(build: TargetBuild, run: BuildRun): string[] | undefined {
  const { stateDir, settings } = run.project;
  const local = run.locals.get(build.target.name);
  const before = lastChunks(lastTableOf(stateDir, build.target.name), settings.chunkBytes);
  if (!local || !before) return undefined;
  const stretches = stretchesOf([...before.digests], local);
  const chunks = stretches.flatMap(({ come }) => come);
  if (chunks.reduce((sum, index) => sum + local.chunk(index).bytes, 0) > bytesMax) return undefined;
  const memos = memosOf(build, run);
  const places: string[] = [];
  for (const stretch of stretches) {
    const known = hashesOf(stretch.gone, memos);
    if (!known) return undefined;
    const told = difference(known, linesIn(stretch.come, local), (line) => placeOf(line, local, run));
    if (told.length === 0) return undefined;
    places.push(...told);
  }
  return firstFew(places, (more) => `${more} more places`);
}

/** Equal chunks in the same order stand on both sides; what is between them changed. */
function stretchesOf(before: readonly Digest[], local: LocalSources): Stretch[] {
  const placeOfDigest = new Map(before.map((digest, place) => [digest, place]));
  const stretches: Stretch[] = [];
  let [place, come]: [number, number[]] = [0, []];
  const end = (until: number): void => {
    if (until > place || come.length > 0) stretches.push({ gone: before.slice(place, until), come });
    come = [];
  };
  for (let index = 0; index < local.chunkCount; index++) {
    const same = placeOfDigest.get(local.chunk(index).digest);
    if (same === undefined || same < place) {
      come.push(index);
      continue;
    }
    end(same);
    place = same + 1;
  }
  end(before.length);
  return stretches;
}

/** What targets that read the sources know of the chunks that these had when they were built last. */
function memosOf(build: TargetBuild, run: BuildRun): LineMemos {
  const memos = new LineMemos(run);
  for (const { target, plan } of run.targets.values()) {
    if (!plan || !target.inputs.some(({ from }) => from === build.target)) continue;
    const read = Object.values(
      (readLastPlan(run.project.stateDir, target.name)?.manifest.inputs ?? {}) as Readonly<Record<string, Digest>>,
    );
    memos.learn(
      plan,
      read.flatMap((digest) => partsOf(run.project, digest) ?? []),
    );
  }
  return memos;
}

/** Of chunks, one after another; undefined when one of them is not known whole. */
function hashesOf(chunks: readonly Digest[], memos: LineMemos): string[] | undefined {
  const all = chunks.map((digest) => memos.of(digest));
  return all.every((hashes) => hashes !== undefined) ? all.flat() : undefined;
}

function linesIn(chunks: readonly number[], local: LocalSources): Line[] {
  return chunks.flatMap((chunk) => {
    const { digest, segments } = local.chunk(chunk);
    const lines: Line[] = [];
    for (const { index, line } of linesOf(readPart(digest, segments))) {
      if (!isBlank(line)) lines.push({ hash: lineHash(line), chunk, record: index });
    }
    return lines;
  });
}

/** Lines that are new between the first and the last that differ, and how many of the old ones are gone; runs of lines as one place. */
function difference(before: readonly string[], now: readonly Line[], placed: (line: Line) => { path: string; line: number }): string[] {
  let start = 0;
  while (start < before.length && start < now.length && before[start] === now[start]?.hash) start++;
  let end = 0;
  while (end < Math.min(before.length, now.length) - start && before.at(-1 - end) === now.at(-1 - end)?.hash) end++;
  const left = new Map<string, number>();
  for (const hash of before.slice(start, before.length - end)) left.set(hash, (left.get(hash) ?? 0) + 1);
  const fresh = now.slice(start, now.length - end).filter(({ hash }) => {
    const count = left.get(hash) ?? 0;
    left.set(hash, count - 1);
    return count <= 0;
  });
  const gone = [...left.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
  if (fresh.length > 0) return runsOf(fresh.map(placed));
  if (gone === 0) return [];
  const behind = now[start - 1] ?? now[start];
  const lines = `${gone} ${gone === 1 ? 'line is' : 'lines are'} gone`;
  if (!behind) return [lines];
  const { path, line } = placed(behind);
  return [`${path}: ${lines} ${start > 0 ? 'behind' : 'before'} line ${line}`];
}

function runsOf(places: readonly { readonly path: string; readonly line: number }[]): string[] {
  const runs: { path: string; first: number; last: number }[] = [];
  for (const { path, line } of places) {
    const run = runs.at(-1);
    if (run?.path === path && run.last === line - 1) run.last = line;
    else runs.push({ path, first: line, last: line });
  }
  return runs.map(({ path, first, last }) => `${path}:${first}${last > first ? `-${last}` : ''}`);
}

function placeOf({ chunk, record }: Line, local: LocalSources, { project }: BuildRun): { path: string; line: number } {
  const { path, line } = local.lines(chunk, record);
  return { path: shownPath(project.root, path), line };
}
