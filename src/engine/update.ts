import { BuildError } from '../base/errors.ts';
import { type LockEntry, readLock } from '../cache/lock.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { select } from '../graph/select.ts';
import { changesInWords, listingChanges } from '../source/listing.ts';
import { ListingFiles } from '../source/listing-files.ts';
import { isObjectPattern } from '../source/object-pattern.ts';
import { build } from './build.ts';
import { BuildRun } from './build-run.ts';
import { remoteAddresses } from './declared-sources.ts';
import { removeUnnamed } from './listings.ts';
import type { Project } from './project.ts';
import { resolveTokenizer } from './resolve-tokenizer.ts';

interface Pinned {
  readonly kind: 'source' | 'listing' | 'contents' | 'tokenizer';
  readonly address: string;
  readonly target: GraphTarget;
}

function pinnedBy(target: GraphTarget): Pinned[] {
  const tokenizers = Object.entries(target.rule.options).flatMap(([name, { shape }]) => {
    const value = target.options[name];
    return shape.type === 'tokenizer' && typeof value === 'string' ? [value] : [];
  });
  return [
    ...tokenizers.map((address) => ({ kind: 'tokenizer' as const, address, target })),
    ...remoteAddresses(target).flatMap((address) => {
      const kinds = isObjectPattern(address) ? (['listing', 'contents'] as const) : (['source'] as const);
      return kinds.map((kind) => ({ kind, address, target }));
    }),
  ];
}

/**
 * Looks again at what remote sources and tokenizers resolve to, and writes that into the lock. Sources are fetched into the cache;
 * nothing is published. When something can not be reached, the lock stays as it was.
 */
export async function update(project: Project, names: readonly string[]): Promise<{ changed: string[] }> {
  const pinned = select(project.graph, { names, tags: [] }).flatMap(pinnedBy);
  const lock = readLock(project.lockFile, 'update');
  const before = lock.entries();
  for (const { kind, address } of pinned) lock.remove(kind, address);
  lock.save();
  try {
    await resolveAll(project, pinned);
  } catch (error) {
    const restored = readLock(project.lockFile, 'update');
    for (const { kind, address } of pinned) restored.remove(kind, address);
    for (const { kind, address, values } of before) restored.add(kind, address, values);
    restored.save();
    throw error;
  }
  const after = readLock(project.lockFile);
  const changed = differences(before, after.entries(), ListingFiles.beside(project.lockFile));
  removeUnnamed(project, after);
  return { changed };
}

async function resolveAll(project: Project, pinned: readonly Pinned[]): Promise<void> {
  const run = new BuildRun(project, { targets: [] });
  for (const { kind, address, target } of pinned) if (kind === 'tokenizer') await resolveTokenizer(address, { target, run });
  run.lock.save();
  await run.runner.close(true);
  const targets = [...new Set(pinned.filter(({ kind }) => kind !== 'tokenizer').map(({ target }) => target.name))];
  if (targets.length === 0) return;
  let failure: { code: string; message: string; hint?: string } | undefined;
  const watched: Project = {
    ...project,
    emit(event) {
      if (event.type === 'target-failed') failure = event.error;
      project.emit(event);
    },
  };
  const { ok } = await build(watched, { targets, publish: false });
  if (!ok)
    throw new BuildError(failure?.code ?? 'update-failed', {
      message: failure?.message ?? 'a source could not be fetched',
      ...(failure?.hint && { hint: failure.hint }),
    });
}

function differences(before: readonly LockEntry[], after: readonly LockEntry[], files: ListingFiles): string[] {
  const name = ({ kind, address }: LockEntry): string => `${kind} ${address}`;
  const old = new Map(before.map((entry) => [name(entry), entry]));
  return after.flatMap((entry) => {
    const was = old.get(name(entry));
    // Contents follow from the listing, which says it better.
    if (entry.kind === 'contents' || JSON.stringify(was?.values) === JSON.stringify(entry.values)) return [];
    return [`${name(entry)}${entry.kind === 'listing' ? listingWords(was, entry, files) : ''}`];
  });
}

function listingWords(was: LockEntry | undefined, { values }: LockEntry, files: ListingFiles): string {
  const [before, after] = [was?.values, values].map((entry) => (entry?.blake3 === undefined ? undefined : files.read(entry.blake3)));
  if (!before || !after) return `: ${values.objects} objects`;
  return `: ${changesInWords(listingChanges(before, after))}`;
}
