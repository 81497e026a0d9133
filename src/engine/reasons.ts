import type { Digest } from '../base/digest.ts';
import { type Change, changesBetween, describeChange } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import { changesInWords, listingChanges } from '../source/listing.ts';
import type { LocalSources } from '../source/local.ts';
import type { BuildRun } from './build-run.ts';
import { type LastChunks, lastChunks } from './last-chunks.ts';
import { type LastPlan, lastTableOf, readLastPlan } from './last-plan.ts';
import { fileOf, shownPath } from './places.ts';
import { tableFileOf } from './resolve-sources.ts';
import type { TargetBuild } from './target-build.ts';

const placesMax = 5;

interface Known {
  /** Digests of the input collections that are finished. */
  readonly inputs: Manifest | undefined;
  /** Which lines of sources changed, if anybody looked. */
  readonly lines?: readonly string[];
}

/** Whether a change is one of what plain local files hold. */
export const isOfSources = ({ path }: Change): boolean => path === 'options.sources.local' || path === 'settings.chunkBytes';

/** Why a target's plan runs, as sentences, from the manifests that are hashed. */
export function reasonsFor(build: TargetBuild, run: BuildRun, { inputs, lines }: Known): string[] {
  const { target } = build;
  const { stateDir } = run.project;
  const last = readLastPlan(stateDir, target.name);
  if (!last) return ['never built'];
  if (run.isForced(target.name)) return ['--force'];
  const { inputs: _, ...now } = build.manifest(inputs ?? {});
  const { inputs: __, ...before } = last.manifest;
  const changes = changesBetween(before as Manifest, now as Manifest);
  const local = run.locals.get(target.name);
  const isFile = ({ path }: Change): boolean => path.startsWith('options.sources.files');
  const isListing = ({ path }: Change): boolean => path.startsWith('options.sources.listings');
  return [
    ...changes
      .filter((change) => !isPart(change) && (!local || !(isOfSources(change) || isFile(change) || isListing(change))))
      .map(describeChange),
    ...changes.filter(isPart).map(partReason),
    ...(changes.some(isListing) ? listingReasons({ before: listingsIn(before), now: listingsIn(now) }, run) : []),
    ...(local && changes.some(isFile) ? fileReasons({ before: filesIn(before), now: filesIn(now) }, run) : []),
    ...(local && changes.some(isOfSources) ? (lines?.map(changed) ?? sourceReasons(local, run, target.name)) : []),
    ...inputReasons(build, run, { last, inputs }),
  ];
}

/** Some groups only, or some documents of each. */
const isPart = ({ path }: Change): boolean => path === 'options.sources.only' || path === 'options.sources.sample';

function partReason({ path, after, before }: Change): string {
  const what = path.endsWith('.only') ? 'groups' : 'documents';
  return after === undefined ? `all ${what} now, not ${flagOf(path, before)}` : `a part of the sources: ${flagOf(path, after)}`;
}

/** As it is written on the command line. @param value JSON, as a manifest's entry has it. */
const flagOf = (path: string, value = ''): string =>
  path.endsWith('.only') ? `--only '${String(JSON.parse(value))}'` : `${value} of each group (--sample)`;

const changed = (place: string): string => `source changed: ${place}`;

interface ListedFile {
  readonly group: string;
  readonly digest: Digest | null;
}

const filesIn = (manifest: unknown): readonly ListedFile[] =>
  (manifest as { options?: { sources?: { files?: ListedFile[] } } }).options?.sources?.files ?? [];

/** Which files that are read as a whole, compressed or remote, are new or gone. */
function fileReasons({ before, now }: Record<'before' | 'now', readonly ListedFile[]>, run: BuildRun): string[] {
  const notIn = (files: readonly ListedFile[]): ((file: ListedFile) => boolean) => {
    const digests = new Set(files.map(({ digest }) => digest));
    return ({ digest }) => !digests.has(digest);
  };
  const nameOf = ({ digest, group }: ListedFile): string => (digest === null ? undefined : fileOf(digest, run)) ?? group;
  const [come, gone] = [now.filter(notIn(before)), before.filter(notIn(now))];
  if (come.length + gone.length === 0) return ['files of the sources are in another order or grouping'];
  const more = come.length > placesMax ? [`and ${come.length - placesMax} more files`] : [];
  return [
    ...come.slice(0, placesMax).map((file) => changed(nameOf(file))),
    ...more,
    ...(come.length === 0 ? [`${gone.length} ${gone.length === 1 ? 'file is' : 'files are'} gone from the sources`] : []),
  ];
}

interface ListedGroup {
  readonly group: string;
  readonly digest: Digest;
}

const listingsIn = (manifest: unknown): readonly ListedGroup[] =>
  (manifest as { options?: { sources?: { listings?: ListedGroup[] } } }).options?.sources?.listings ?? [];

/** Which objects a pattern matches that it did not match before. */
function listingReasons({ before, now }: Record<'before' | 'now', readonly ListedGroup[]>, { listings }: BuildRun): string[] {
  const changed = now.filter(({ group, digest }, i) => before[i]?.group !== group || before[i]?.digest !== digest);
  if (changed.length === 0) return ['objects are gone from the sources'];
  return changed.map(({ group, digest }) => {
    const was = before.find((listed) => listed.group === group);
    const [old, current] = [was && listings.earlier(was.digest), listings.earlier(digest)];
    return old && current ? `source "${group}": ${changesInWords(listingChanges(old, current))}` : `source "${group}": its objects changed`;
  });
}

/** Where files changed. Chunks are what is built, so it is said between which lines; `why` looks for the lines themselves. */
function sourceReasons(local: LocalSources, run: BuildRun, target: string): string[] {
  const { stateDir, settings } = run.project;
  const before = lastChunks(lastTableOf(stateDir, target), settings.chunkBytes);
  const now = lastChunks(tableFileOf(stateDir, target), settings.chunkBytes);
  if (!before || !now) return ['sources changed'];
  const places: string[] = [];
  let come = 0;
  const after = new Set<string>();
  for (let i = 0; i < local.chunkCount; i++) {
    const chunk = local.chunk(i);
    after.add(chunk.digest);
    if (before.digests.has(chunk.digest)) continue;
    come++;
    if (places.length < placesMax) places.push(...linesOfChunk(local, { index: i, records: chunk.records }, { run, before, now }));
  }
  const gone = [...before.digests].filter((digest) => !after.has(digest)).length;
  const more = come > placesMax ? [`and ${come - placesMax} more chunks`] : [];
  if (come === 0 && gone === 0) return ['sources are in another order or grouping'];
  return [
    ...places.map(changed),
    ...more,
    ...(come === 0 ? [`${gone} ${gone === 1 ? 'chunk is' : 'chunks are'} gone from the sources`] : []),
  ];
}

interface Compared {
  readonly run: BuildRun;
  readonly before: LastChunks;
  readonly now: LastChunks;
}

function linesOfChunk(
  local: LocalSources,
  { index, records }: { index: number; records: number },
  { run, before, now }: Compared,
): string[] {
  const { root } = run.project;
  const { segments } = local.chunk(index);
  if (segments.length === 1) {
    const { path, line: first } = local.lines(index, 0);
    const { line: last } = local.lines(index, records - 1);
    const shown = shownPath(root, path);
    return [first === last ? `${shown}:${first}` : `${shown}, in lines ${first}-${last}`];
  }
  // Of the small files in one chunk, only those that are not what they were are named.
  const changed = segments.filter(({ path }) => before.smallFiles.get(path) !== now.smallFiles.get(path));
  return changed.slice(0, placesMax).map((segment) => shownPath(root, segment.path));
}

function inputReasons(build: TargetBuild, run: BuildRun, { last, inputs }: { last: LastPlan; inputs: Manifest | undefined }): string[] {
  const before = (last.manifest.inputs ?? {}) as Record<string, string>;
  const reasons: string[] = [];
  for (const { input, key, from } of build.target.inputs) {
    const name = key === '' ? input : `${input}.${key}`;
    const upstream = run.targets.get(from);
    const now = (inputs as Record<string, string> | undefined)?.[name];
    if (now === undefined || upstream?.state === 'building') reasons.push(`input ${name}: ${from.name} is being rebuilt`);
    else if (before[name] !== now) reasons.push(`input ${name}: ${from.name} changed`);
  }
  return reasons.length > 0 ? reasons : inputs === undefined ? ['inputs are being rebuilt'] : [];
}
