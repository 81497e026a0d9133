import { takeInventory } from '../../cache/inventory.ts';
import { heldBy } from '../held.ts';
import type { Project } from '../project.ts';
import { PublishedFolders } from '../published-folders.ts';
import { type Cap, capOf } from './cap.ts';
import { type LastGc, lastGc } from './collect.ts';
import { type BlobKind, type HeldVersion, heldVersions, type MarkedBlob, mark } from './mark.ts';

/** Bytes by what they are. `published` lie in the folders of the user's, all others in the store; `output` was published once, or will be. */
export type KindBytes = Readonly<Record<BlobKind | 'published', number>>;

export interface TargetCacheStats {
  readonly target: string;
  readonly bytes: KindBytes;
  /** Versions of which something is left. */
  readonly versions: number;
  /** When a build last used it: ISO 8601. */
  readonly used: string;
}

export interface CacheStats {
  readonly cap: Cap;
  readonly store: {
    readonly bytes: number;
    readonly blobs: number;
    /** Files that hold the small ones, and how many of their bytes nobody needs. */
    readonly packs: number;
    readonly deadBytes: number;
  };
  readonly bytes: KindBytes;
  /** Those with the most bytes first. */
  readonly targets: readonly TargetCacheStats[];
  readonly results: { readonly targets: number; readonly steps: number };
  readonly lastGc: LastGc | undefined;
}

type Counts = Record<keyof KindBytes, number>;
const noBytes = (): Counts => ({ published: 0, output: 0, intermediate: 0, list: 0, external: 0, unreferenced: 0 });
const totalOf = (counts: KindBytes): number => Object.values(counts).reduce((sum, bytes) => sum + bytes, 0);

/** What of the current version of each target lies in the folders that it was published into. */
function publishedBytes({ stateDir, graph, store }: Project, versions: readonly HeldVersion[]): Map<string, number> {
  const folders = new PublishedFolders(
    stateDir,
    graph.targets.flatMap(({ out }) => out ?? []),
  );
  const found = new Map<string, number>();
  for (const { target, result } of versions.filter(({ isCurrent }) => isCurrent)) {
    for (const { digest, as } of heldBy(result, store)) {
      const [segment] = as === 'output' ? (folders.locate(digest) ?? []) : [];
      if (segment) found.set(target, (found.get(target) ?? 0) + segment.length);
    }
  }
  return found;
}

interface TargetCounts {
  readonly bytes: Counts;
  readonly versions: Set<HeldVersion>;
  usedMs: number;
}

function countTargets(
  marked: readonly MarkedBlob[],
  published: ReadonlyMap<string, number>,
  versions: readonly HeldVersion[],
): TargetCacheStats[] {
  const targets = new Map<string, TargetCounts>();
  const of = (target: string): TargetCounts => {
    const counts = targets.get(target) ?? { bytes: noBytes(), versions: new Set(), usedMs: 0 };
    targets.set(target, counts);
    return counts;
  };
  for (const { target, usedMs } of versions) of(target).usedMs = Math.max(of(target).usedMs, usedMs);
  for (const [target, bytes] of published) of(target).bytes.published += bytes;
  for (const { blob, kind, version } of marked) {
    if (!version) continue;
    const counts = of(version.target);
    counts.bytes[kind] += blob.bytes;
    counts.versions.add(version);
  }
  return [...targets]
    .map(([target, { bytes, versions: held, usedMs }]) => ({ target, bytes, versions: held.size, used: new Date(usedMs).toISOString() }))
    .sort((a, b) => totalOf(b.bytes) - totalOf(a.bytes));
}

/** What lies in the store and in published folders, by target and by what it is. Changes nothing. */
export function cacheStats(project: Project): CacheStats {
  const { store, config, root, results } = project;
  const inventory = takeInventory(store);
  const versions = heldVersions(project);
  const marked = mark(project, inventory);
  const published = publishedBytes(project, versions);
  const bytes = noBytes();
  for (const { blob, kind } of marked) bytes[kind] += blob.bytes;
  for (const some of published.values()) bytes.published += some;
  const packBytes = inventory.packs.reduce((sum, pack) => sum + pack.bytes, 0);
  const packedBytes = inventory.blobs.reduce((sum, blob) => (blob.pack ? sum + blob.bytes : sum), 0);
  return {
    cap: capOf(config, { root, storeBytes: inventory.bytes }),
    store: { bytes: inventory.bytes, blobs: inventory.blobs.length, packs: inventory.packs.length, deadBytes: packBytes - packedBytes },
    bytes,
    targets: countTargets(marked, published, versions),
    results: results.counts(),
    lastGc: lastGc(project),
  };
}
