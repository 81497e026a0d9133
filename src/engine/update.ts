import { isRemote, publicAddress } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { type LockEntry, readLock } from '../cache/lock.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { select } from '../graph/select.ts';
import { isSourceValue } from '../rule/source.ts';
import { build } from './build.ts';
import { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import { resolveTokenizer } from './resolve-tokenizer.ts';

interface Pinned {
  readonly kind: 'source' | 'tokenizer';
  readonly address: string;
  readonly target: GraphTarget;
}

function pinnedBy(target: GraphTarget): Pinned[] {
  return Object.entries(target.rule.options).flatMap(([name, { shape }]): Pinned[] => {
    const value = target.options[name];
    if (shape.type === 'tokenizer' && typeof value === 'string') return [{ kind: 'tokenizer', address: value, target }];
    if (shape.type !== 'sources') return [];
    const patterns = Object.values(value as object).flatMap((source: unknown) =>
      typeof source === 'string' ? [source] : isSourceValue(source) ? source.patterns : [],
    );
    return patterns.filter(isRemote).map((pattern) => ({ kind: 'source', address: publicAddress(pattern), target }));
  });
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
    for (const { kind, address, values } of before) restored.add(kind, address, values);
    restored.save();
    throw error;
  }
  return { changed: differences(before, readLock(project.lockFile).entries()) };
}

async function resolveAll(project: Project, pinned: readonly Pinned[]): Promise<void> {
  const run = new BuildRun(project, { targets: [] });
  for (const { kind, address, target } of pinned) if (kind === 'tokenizer') await resolveTokenizer(address, { target, run });
  run.lock.save();
  await run.runner.close(true);
  const targets = [...new Set(pinned.filter(({ kind }) => kind === 'source').map(({ target }) => target.name))];
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

function differences(before: readonly LockEntry[], after: readonly LockEntry[]): string[] {
  const name = ({ kind, address }: LockEntry): string => `${kind} ${address}`;
  const old = new Map(before.map((entry) => [name(entry), JSON.stringify(entry.values)]));
  return after.filter((entry) => old.get(name(entry)) !== JSON.stringify(entry.values)).map(name);
}
