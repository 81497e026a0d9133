import type { LocalSources } from '../source/local.ts';
import type { BuildRun } from './build-run.ts';
import { firstFew } from './first-few.ts';
import { type LastChunks, type LastFile, lastChunks } from './last-chunks.ts';
import { lastTableOf } from './last-plan.ts';
import { shownPath } from './places.ts';
import { tableFileOf } from './resolve-sources.ts';

type Files = LastChunks['files'];

/** What became of the files of sources, by their absolute paths. */
interface FileChanges {
  readonly renamed: readonly (readonly [from: string, to: string])[];
  readonly come: readonly string[];
  readonly gone: readonly string[];
  readonly changed: readonly string[];
}

/** A file that is gone and one of equal content that came are one that was renamed. */
function fileChanges(before: Files, now: Files): FileChanges {
  const gone = new Set([...before.keys()].filter((path) => !now.has(path)));
  const renamed: (readonly [string, string])[] = [];
  const come: string[] = [];
  const byContent = new Map<string | undefined, string[]>();
  for (const path of gone) {
    const content = before.get(path)?.content;
    byContent.set(content, [...(byContent.get(content) ?? []), path]);
  }
  for (const [path, { content }] of now) {
    if (before.has(path)) continue;
    const from = byContent.get(content)?.shift();
    if (from === undefined) come.push(path);
    else {
      gone.delete(from);
      renamed.push([from, path]);
    }
  }
  const changed = [...now].flatMap(([path, { content }]) => ((before.get(path)?.content ?? content) === content ? [] : [path]));
  return { renamed, come, gone: [...gone], changed };
}

/**
 * Which local files changed, as sentences. Chunks are what is built, so of an edited file it is said between which lines.
 *
 * @param lines the very lines of the edited files, if anybody looked.
 */
export function sourceReasons(
  local: LocalSources,
  run: BuildRun,
  about: { target: string; lines?: readonly string[] | undefined },
): string[] {
  const { stateDir, settings, root } = run.project;
  const tableFile = tableFileOf(stateDir, about.target);
  const before = lastChunks(lastTableOf(stateDir, about.target), settings.chunkBytes, tableFile);
  const now = lastChunks(tableFile, settings.chunkBytes);
  if (!before || !now) return ['sources changed'];
  const shown = (path: string): string => shownPath(root, path);
  const withLines = (path: string, files: Files): string => `${shown(path)} ${linesOf(files.get(path))}`;
  const { renamed, come, gone, changed } = fileChanges(before.files, now.files);
  const told = isOfFiles(about.lines, changed.map(shown)) ? about.lines : placesIn(local, changed, { before, shown });
  const reasons = [
    ...renamed.map(([from, to]) => `source renamed: ${shown(from)} -> ${shown(to)}`),
    ...come.map((path) => `source new: ${withLines(path, now.files)}`),
    ...gone.map((path) => `source gone: ${withLines(path, before.files)}`),
  ];
  return [
    ...told.map((place) => `source changed: ${place}`),
    ...firstFew(reasons, (more) => `and ${more} more files that are new, gone or renamed`),
    ...(told.length + reasons.length === 0 ? ['sources are in another order or grouping'] : []),
  ];
}

const linesOf = (file: LastFile | undefined): string => (file?.lines === 1 ? '(1 line)' : `(${file?.lines ?? 0} lines)`);

/** Whether places are of these files and leave none out: a line that is gone may be placed behind the last one of the file before it. */
function isOfFiles(places: readonly string[] | undefined, files: readonly string[]): places is readonly string[] {
  if (!places || places.length === 0 || files.length === 0) return false;
  const isOf = (place: string) => (file: string) => place.startsWith(`${file}:`) || place.endsWith(' more places');
  return places.every((place) => files.some(isOf(place))) && files.every((file) => places.some((place) => isOf(place)(file)));
}

interface Beside {
  readonly before: LastChunks;
  shown(path: string): string;
}

/** Where edited files have chunks that were not there before; the file alone where a chunk is made of several, or none of its is new. */
function placesIn(local: LocalSources, changed: readonly string[], { before, shown }: Beside): string[] {
  const places = new Map<string, string[]>(changed.map((path) => [path, []]));
  for (let i = 0; i < local.chunkCount; i++) {
    const { digest, segments, records } = local.chunk(i);
    const own = places.get(segments[0]?.path ?? '');
    if (segments.length !== 1 || !own || before.digests.has(digest)) continue;
    const [first, last] = [local.lines(i, 0).line, local.lines(i, records - 1).line];
    const path = shown(segments[0]?.path as string);
    own.push(first === last ? `${path}:${first}` : `${path}, in lines ${first}-${last}`);
  }
  return firstFew(
    [...places].flatMap(([path, own]) => (own.length > 0 ? own : [shown(path)])),
    (more) => `${more} more places`,
  );
}
