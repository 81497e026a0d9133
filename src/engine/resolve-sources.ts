import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRemote, publicAddress } from '../base/address.ts';
import { type Digest, digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest, ManifestValue } from '../plan/manifest.ts';
import type { Part } from '../rule/part.ts';
import type { SourceFormat, SourceItem, Sources, SourceValue } from '../rule/source.ts';
import type { UserFunction } from '../rule/user-function.ts';
import { assertObjectAddress } from '../s3/address.ts';
import { grouping, groupNamed, type SourceSpec } from '../source/list.ts';
import { type LocalSources, scanLocal } from '../source/local.ts';
import { isObjectPattern, parseObjectPattern } from '../source/object-pattern.ts';
import type { BuildRun } from './build-run.ts';
import type { PinnedListing } from './listings.ts';
import { warnOfPassedOver } from './passed-over.ts';
import { sampleOf } from './sample.ts';
import { manifestOfUse, withBundle } from './user-code.ts';

const formatOf = (path: string): SourceFormat => (path.endsWith('.gz') ? 'jsonl.gz' : path.endsWith('.zst') ? 'jsonl.zst' : 'jsonl');
const isPlain = (path: string): boolean => formatOf(path) === 'jsonl';
const withoutQuery = (address: string): string => address.replace(/[?#].*$/, '');

/** One entry of `sources`, sorted out. */
interface Entry {
  readonly group: string;
  readonly value: Pick<SourceValue, 'patterns' | 'pin' | 'endpoint' | 'region' | 'versions'>;
  readonly adapt: UserFunction | undefined;
  readonly local: SourceSpec | undefined;
  readonly remote: readonly string[];
}

const isLocal = (entry: Entry): entry is Entry & { local: SourceSpec } => entry.local !== undefined;

function badSource(group: string, where: string): never {
  throw new BuildError('bad-source', {
    message: `source "${group}": its key must be <category>/<name>`,
    where,
    hint: "Write for example 'web/news', or 'web/*' for a group of each file.",
  });
}

async function entryOf(group: string, given: string | SourceValue, context: { target: GraphTarget; run: BuildRun }): Promise<Entry> {
  if (!/^[^/]+(\/[^/]+)+$/.test(group) || group.split('/').includes('..')) badSource(group, context.target.where);
  const value = typeof given === 'string' ? { patterns: [given] } : given;
  const adapt = typeof given === 'string' ? undefined : given.adapt;
  const paths = value.patterns.filter((pattern) => !isRemote(pattern));
  return {
    group,
    value,
    adapt: adapt && (await withBundle(adapt, context.run)),
    local: paths.length > 0 ? { group, patterns: paths, base: context.target.base } : undefined,
    remote: value.patterns.filter(isRemote),
  };
}

/** Plain files by reference, chunk by chunk. */
async function scanPlain(entries: readonly Entry[], { target, run }: { target: GraphTarget; run: BuildRun }): Promise<LocalSources> {
  const started = performance.now();
  const sources = await scanLocal({
    sources: entries.filter(isLocal).map(({ local }) => ({ ...local, accepts: isPlain })),
    tableFile: tableFileOf(run.project.stateDir, target.name),
    chunkBytes: run.project.settings.chunkBytes,
    paranoid: run.options.paranoid ?? false,
    doubted: run.doubted,
    signal: run.project.signal,
  });
  const { files, bytes, chunkCount: chunks, unchanged } = sources;
  const tookMs = performance.now() - started;
  run.scanMs += tookMs;
  run.project.emit({ type: 'scanned', target: target.name, files, bytes, chunks, unchanged, tookMs });
  return sources;
}

export const tableFileOf = (stateDir: string, target: string): string =>
  join(stateDir, 'sources', `${digestHex(target).slice(0, 32)}.table`);

interface ChunkContext {
  readonly adapts: ReadonlyMap<string, UserFunction>;
  readonly run: BuildRun;
}

function* chunkItems(local: LocalSources, { adapts, run }: ChunkContext): Generator<SourceItem> {
  for (let i = 0; i < local.chunkCount; i++) {
    const { group, digest, bytes, records, u } = local.chunk(i);
    const adapt = adapts.get(group);
    const part: Part = { digest, form: 'lines', bytes, facts: { records, u }, group };
    run.chunkOf.set(part, i);
    yield { item: 'chunk', part, ...(adapt && { adapt }) };
  }
}

/** Files that are unwrapped by a step: one part each, found by its digest. */
async function packedItems(entries: readonly Entry[], { others }: LocalSources, run: BuildRun): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for (const [i, { local, adapt }] of entries.filter(isLocal).entries()) {
    const groupOf = grouping(local);
    for (const relative of others[i] ?? []) {
      const path = resolve(local.base, relative);
      const { digest, bytes } = await run.files.digest(path, run.options.paranoid || run.doubted.has(path));
      run.packedFiles.set(digest, path);
      const part: Part = { digest, form: 'file', bytes, facts: {}, group: groupOf(relative) };
      items.push({ item: 'file', part, format: formatOf(path), ...(adapt && { adapt }) });
    }
  }
  return items;
}

type RemoteItem = Extract<SourceItem, { item: 'remote' }>;

/** One address of a source, or all that its pattern was found to match. */
interface RemoteSource {
  readonly entry: Entry;
  readonly address: string;
  readonly listed: PinnedListing | undefined;
}

/** Addresses without what must not be seen: these name entries in the lock and go into steps; only the fetch itself gets the whole one. */
async function remoteSources(entries: readonly Entry[], run: BuildRun): Promise<RemoteSource[]> {
  const sources = entries.flatMap((entry) => entry.remote.map((whole) => ({ entry, whole })));
  return Promise.all(
    sources.map(async ({ entry, whole }) => {
      if (whole.startsWith('s3:')) assertObjectAddress(whole);
      const address = publicAddress(whole);
      run.addresses.set(address, whole);
      const { endpoint, region, versions } = entry.value;
      return {
        entry,
        address,
        listed: isObjectPattern(address) ? await run.listings.resolve({ address, endpoint, region, versions }) : undefined,
      };
    }),
  );
}

function* remoteItems(sources: readonly RemoteSource[], run: BuildRun): Generator<RemoteItem> {
  const seen = new Map<Entry, Set<string>>();
  for (const source of sources) {
    const met = seen.get(source.entry) ?? new Set();
    seen.set(source.entry, met);
    for (const item of source.listed ? objectItems(source, run) : [fileItem(source, run)]) {
      // Patterns of one source may overlap.
      if (!met.has(item.address)) yield item;
      met.add(item.address);
    }
  }
}

function remoteItem({ group, value, adapt }: Entry, address: string): RemoteItem {
  const { declaredPin, endpoint, region } = { ...value, declaredPin: value.pin };
  return {
    item: 'remote',
    address,
    group,
    format: formatOf(/^s3:/i.test(address) ? address : withoutQuery(address)),
    ...(declaredPin && { declaredPin }),
    ...(endpoint && { endpoint }),
    ...(region && { region }),
    ...(adapt && { adapt }),
  };
}

function fileItem({ entry, address }: RemoteSource, run: BuildRun): RemoteItem {
  const pin = run.lock.get('source', address)?.blake3;
  return { ...remoteItem(entry, address), ...(pin && { pin }) };
}

function* objectItems({ entry, address: pattern, listed }: RemoteSource, run: BuildRun): Generator<RemoteItem> {
  const { folder } = parseObjectPattern(pattern);
  for (const { name, bytes, etag, version, blake3 } of listed?.listing().objects ?? []) {
    const address = folder + name;
    if (blake3 !== undefined) run.listings.note(address, blake3);
    const object = { etag, bytes, ...(version !== undefined && { version }) };
    yield { ...remoteItem(entry, address), group: groupNamed(entry.group, name), object };
  }
}

/** Why a path is no file: nothing is there, or something else. */
function whatLiesAt(path: string, base: string): string {
  const stats = lstatSync(resolve(base, path), { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) return `the link ${path} leads to no file`;
  if (stats?.isDirectory()) return `${path} is a folder; its files are ${path.replace(/\/$/, '')}/**/*.jsonl`;
  return stats ? `${path} is no regular file` : `there is no file ${path}`;
}

function assertFound(
  local: LocalSources,
  packed: readonly SourceItem[],
  { entries, base }: { entries: readonly Entry[]; base: string },
): void {
  const [missing] = local.missing;
  if (missing) {
    throw new BuildError('no-source', {
      message: `source "${missing.group}": ${whatLiesAt(missing.pattern, base)}`,
      hint: 'Paths are relative to the config that declares them.',
    });
  }
  if (local.files > 0 || packed.length > 0 || entries.some((entry) => entry.remote.length > 0)) return;
  const patterns = entries.flatMap((entry) => entry.local?.patterns ?? []);
  throw new BuildError('no-source', {
    message: `No JSONL files found: ${patterns.join(', ')} ${patterns.length === 1 ? 'matches' : 'match'} nothing`,
    hint: 'Check the paths; a folder below is only looked into with **, or with --recursive in `dsbuild run`.',
  });
}

/** Resolves `sources`: scans what lies here, looks up in the lock what lies elsewhere. */
export async function resolveSources(
  given: Readonly<Record<string, string | SourceValue>>,
  target: GraphTarget,
  run: BuildRun,
): Promise<{ seen: Sources; manifest: ManifestValue }> {
  const context = { target, run };
  const entries = await Promise.all(Object.entries(given).map(([group, value]) => entryOf(group, value, context)));
  const local = await scanPlain(entries, context);
  const packed = await packedItems(entries, local, run);
  assertFound(local, packed, { entries, base: target.base });
  warnOfPassedOver(
    entries.filter(isLocal).map(({ local: spec }) => spec),
    local,
    context,
  );
  run.addLocal(target.name, local);
  const remote = await remoteSources(entries, run);
  const keeps = run.keepsGroup;
  const adapts = adaptsByGroup(entries, local);
  const items = function* (): Generator<SourceItem> {
    for (const item of chunkItems(local, { adapts, run })) if (keeps(itemGroup(item))) yield item;
    for (const item of packed) if (keeps(itemGroup(item))) yield item;
    for (const item of remoteItems(remote, run)) if (keeps(itemGroup(item))) yield item;
  };
  const sampled = run.options.sample === undefined ? items : () => sampleOf(items(), run.options.sample as number, run);
  const seen: Sources = {
    get groups() {
      return [...new Set([...local.groups, ...[...packed, ...remoteItems(remote, run)].map(itemGroup)])].filter(keeps);
    },
    async *[Symbol.asyncIterator]() {
      yield* sampled();
    },
  };
  return { seen, manifest: manifestOf({ local, packed, remote, entries }, run) };
}

const itemGroup = (item: SourceItem): string => (item.item === 'remote' ? item.group : item.part.group);

/** A group's own entry decides, else the star that says most of its name: `data/*` adapts nothing of `data/talk` beside it. */
function adaptsByGroup(entries: readonly Entry[], local: LocalSources): Map<string, UserFunction> {
  const own = new Map(entries.map((entry) => [entry.group, entry]));
  const stars = entries
    .filter(({ group }) => group.includes('*'))
    .map((entry) => ({ entry, prefix: entry.group.slice(0, entry.group.indexOf('*')) }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return new Map(
    local.groups.flatMap((name) => {
      const entry = own.get(name) ?? stars.find(({ prefix }) => name.startsWith(prefix))?.entry;
      return entry?.adapt ? [[name, entry.adapt] as const] : [];
    }),
  );
}

interface Found {
  readonly local: LocalSources;
  readonly packed: readonly SourceItem[];
  readonly remote: readonly RemoteSource[];
  readonly entries: readonly Entry[];
}

/** Contents and groups; never paths or addresses. A remote file that nobody has fetched yet makes the key unknowable: undefined digest. */
function manifestOf({ local, packed, remote, entries }: Found, run: BuildRun): Manifest {
  const digestOf = (item: SourceItem): Digest | null => (item.item === 'remote' ? (item.pin ?? null) : item.part.digest);
  const single = remote.filter(({ listed }) => !listed).map((source) => fileItem(source, run));
  const listings = remote.flatMap(({ entry, listed }) => (listed ? [{ group: entry.group, digest: listed.digest }] : []));
  const files = [...packed, ...single].map((item) => ({
    group: itemGroup(item),
    digest: digestOf(item),
    format: item.item === 'chunk' ? '' : item.format,
  }));
  return {
    local: local.listDigest,
    files,
    // Of a whole pattern, what the bucket said: known before anything was fetched.
    ...(listings.length > 0 && { listings }),
    adapts: Object.fromEntries(entries.flatMap(({ group, adapt }) => (adapt ? [[group, manifestOfUse(adapt)] as const] : []))),
    only: run.options.only,
    sample: run.options.sample,
  };
}
