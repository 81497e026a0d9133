import type { Digest } from '../base/digest.ts';
import { withNames } from '../plan/contents.ts';
import { type Change, changesBetween, describeChange } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import { changesInWords, listingChanges } from '../source/listing.ts';
import type { BuildRun } from './build-run.ts';
import { type LastPlan, readLastPlan } from './last-plan.ts';
import { fileOf } from './places.ts';
import { sourceReasons } from './source-reasons.ts';
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

/** Whether a reason is that something upstream changed. */
export const isOfInput = (reason: string): boolean => /^inputs? /.test(reason);

/** Why a target's plan runs, as sentences, from the manifests that are hashed. */
export function reasonsFor(build: TargetBuild, run: BuildRun, { inputs, lines }: Known): string[] {
  const { target } = build;
  const { stateDir } = run.project;
  const last = readLastPlan(stateDir, target.name);
  if (!last) return ['never built'];
  if (run.isForced(target.name)) return ['--force'];
  const { inputs: _, ...now } = build.manifest(inputs ?? {});
  const { inputs: __, ...before } = last.manifest;
  const changes = withNames(changesBetween(before as Manifest, now as Manifest), { before: last.names ?? {}, now: build.names() });
  const local = run.locals.get(target.name);
  const isFile = ({ path }: Change): boolean => path.startsWith('options.sources.files');
  const isListing = ({ path }: Change): boolean => path.startsWith('options.sources.listings');
  const others = changes.filter((change) => !isPart(change) && (!local || !(isOfSources(change) || isFile(change) || isListing(change))));
  return [
    // One file may stand behind several options.
    ...new Set(others.map(describeChange)),
    ...changes.filter(isPart).map(partReason),
    ...(changes.some(isListing) ? listingReasons({ before: listingsIn(before), now: listingsIn(now) }, run) : []),
    ...(local && changes.some(isFile) ? fileReasons({ before: filesIn(before), now: filesIn(now) }, run) : []),
    ...(local && changes.some(isOfSources) ? sourceReasons(local, run, { target: target.name, lines }) : []),
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
  if (come.length + gone.length === 0) return renamedFiles(before, now);
  const more = come.length > placesMax ? [`and ${come.length - placesMax} more files`] : [];
  return [
    ...come.slice(0, placesMax).map((file) => changed(nameOf(file))),
    ...more,
    ...(come.length === 0 ? gone.slice(0, placesMax).map(({ group }) => `source gone: a file of ${group}`) : []),
    ...(come.length === 0 && gone.length > placesMax ? [`and ${gone.length - placesMax} more files`] : []),
  ];
}

/** The same contents in other groups; a file's name is known by its group only. */
function renamedFiles(before: readonly ListedFile[], now: readonly ListedFile[]): string[] {
  const renamed = now.flatMap(({ group, digest }) => {
    const was = before.filter((file) => file.digest === digest);
    return was[0] && was.every((file) => file.group !== group) ? [`source renamed: ${was[0].group} -> ${group}`] : [];
  });
  return renamed.length > 0 ? renamed.slice(0, placesMax) : ['files of the sources are in another order or grouping'];
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

function inputReasons(build: TargetBuild, run: BuildRun, { last, inputs }: { last: LastPlan; inputs: Manifest | undefined }): string[] {
  const before = (last.manifest.inputs ?? {}) as Record<string, string>;
  const notReady = run.options.dryRun ? 'not fresh' : 'being rebuilt';
  const reasons: string[] = [];
  for (const { input, key, from } of build.target.inputs) {
    const name = key === '' ? input : `${input}.${key}`;
    const upstream = run.targets.get(from);
    const now = (inputs as Record<string, string> | undefined)?.[name];
    if (now === undefined || upstream?.state === 'building') reasons.push(`input ${name}: ${from.name} is ${notReady}`);
    else if (before[name] !== now) reasons.push(`input ${name}: ${from.name} changed`);
  }
  if (reasons.length === 0 && inputs === undefined) return [`inputs are ${notReady}`];
  return reasons;
}
