import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRemote, publicAddress } from '../base/address.ts';
import { type Digest, digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest, ManifestValue } from '../plan/manifest.ts';
import type { Part } from '../rule/part.ts';
import { isSourceValue, type SourceFormat, type SourceItem, type Sources, type SourceValue } from '../rule/source.ts';
import type { UserFunction } from '../rule/user-function.ts';
import { grouping, type SourceSpec } from '../source/list.ts';
import { type LocalSources, scanLocal } from '../source/local.ts';
import type { BuildRun } from './build-run.ts';
import { sampleOf } from './sample.ts';
import { manifestOfUse, withBundle } from './user-code.ts';

const formatOf = (path: string): SourceFormat => (path.endsWith('.gz') ? 'jsonl.gz' : path.endsWith('.zst') ? 'jsonl.zst' : 'jsonl');
const isPlain = (path: string): boolean => formatOf(path) === 'jsonl';
const withoutQuery = (address: string): string => address.replace(/[?#].*$/, '');

/** One entry of `sources`, sorted out. */
interface Entry {
  readonly group: string;
  readonly value: Pick<SourceValue, 'patterns' | 'pin' | 'endpoint' | 'region'>;
  readonly adapt: UserFunction | undefined;
  readonly local: SourceSpec | undefined;
  readonly remote: readonly string[];
}

const isLocal = (entry: Entry): entry is Entry & { local: SourceSpec } => entry.local !== undefined;

function badSource(group: string, message: string): never {
  throw new BuildError('bad-source', {
    message: `source "${group}": ${message}`,
    hint: 'A source is a path, a glob, a URL, or files(...), url(...), s3(...).',
  });
}

async function entryOf(group: string, given: string | SourceValue, context: { target: GraphTarget; run: BuildRun }): Promise<Entry> {
  if (typeof given !== 'string' && !isSourceValue(given)) badSource(group, `${JSON.stringify(given)} is no source`);
  if (!/^[^/]+(\/[^/]+)+$/.test(group) || group.split('/').includes('..')) badSource(group, 'its key must be <category>/<name>');
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

/** Addresses without what must not be seen: these name entries in the lock and go into steps; only the fetch itself gets the whole one. */
function remoteItems(entries: readonly Entry[], run: BuildRun): Extract<SourceItem, { item: 'remote' }>[] {
  return entries.flatMap(({ group, value, remote, adapt }) =>
    remote.map((whole) => {
      const address = publicAddress(whole);
      run.addresses.set(address, whole);
      const pin = run.lock.get('source', address)?.blake3;
      const { pin: declaredPin, endpoint, region } = value;
      return {
        item: 'remote' as const,
        address,
        group,
        format: formatOf(withoutQuery(address)),
        ...(pin && { pin }),
        ...(declaredPin && { declaredPin }),
        ...(endpoint && { endpoint }),
        ...(region && { region }),
        ...(adapt && { adapt }),
      };
    }),
  );
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
  run.addLocal(target.name, local);
  const remote = remoteItems(entries, run);
  const keeps = run.keepsGroup;
  const adapts = adaptsByGroup(entries, local);
  const items = function* (): Generator<SourceItem> {
    for (const item of chunkItems(local, { adapts, run })) if (keeps(itemGroup(item))) yield item;
    for (const item of [...packed, ...remote]) if (keeps(itemGroup(item))) yield item;
  };
  const sampled = run.options.sample === undefined ? items : () => sampleOf(items(), run.options.sample as number, run);
  const groups = [...new Set([...local.groups, ...[...packed, ...remote].map(itemGroup)])].filter(keeps);
  const seen: Sources = {
    groups,
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
  readonly remote: readonly Extract<SourceItem, { item: 'remote' }>[];
  readonly entries: readonly Entry[];
}

/** Contents and groups; never paths or addresses. A remote file that nobody has fetched yet makes the key unknowable: undefined digest. */
function manifestOf({ local, packed, remote, entries }: Found, run: BuildRun): Manifest {
  const digestOf = (item: SourceItem): Digest | null => (item.item === 'remote' ? (item.pin ?? null) : item.part.digest);
  const listed = [...packed, ...remote].map((item) => ({
    group: itemGroup(item),
    digest: digestOf(item),
    format: item.item === 'chunk' ? '' : item.format,
  }));
  return {
    local: local.listDigest,
    files: listed,
    adapts: Object.fromEntries(entries.flatMap(({ group, adapt }) => (adapt ? [[group, manifestOfUse(adapt)] as const] : []))),
    only: run.options.only,
    sample: run.options.sample,
  };
}
