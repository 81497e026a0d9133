import type { Leftover } from '../../cache/leftovers.ts';
import type { MarkedBlob } from './mark.ts';

/** One version of a target, and what of it was collected or lies in the store. */
export interface VersionBytes {
  /** When it was built, and when a build last used it: ISO 8601. */
  readonly built: string;
  readonly used: string;
  readonly blobs: number;
  readonly bytes: number;
}

export interface TargetBytes {
  /** Undefined: of builds that did not end, or that nobody remembers. */
  readonly target: string | undefined;
  readonly blobs: number;
  readonly bytes: number;
  /** The most recently used first. */
  readonly versions: readonly VersionBytes[];
}

/** What a collection did, or with `dryRun` would do. */
export interface GcReport {
  readonly dryRun: boolean;
  /** The store before and after. */
  readonly bytesBefore: number;
  readonly bytes: number;
  /** Above `max` something is collected, down to `goal`. */
  readonly max: number;
  readonly goal: number;
  /** What went, by target. */
  readonly targets: readonly TargetBytes[];
  /** What stays whatever the size: data from outside, lists by which a build sees that it has nothing to do, what a build that runs has used. */
  readonly spared: { readonly external: number; readonly lists: number; readonly young: number };
  readonly leftovers: Readonly<Partial<Record<Leftover['what'], number>>>;
  /** There was no room to rewrite packs. */
  readonly diskFull: boolean;
  readonly tookMs: number;
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

interface Sum {
  blobs: number;
  bytes: number;
}

function add(sum: Sum, { bytes }: MarkedBlob['blob']): void {
  sum.blobs++;
  sum.bytes += bytes;
}

/** Blobs by target and version; the targets with the most bytes first. */
export function byTarget(marked: readonly MarkedBlob[]): TargetBytes[] {
  const targets = new Map<string | undefined, Sum & { versions: Map<MarkedBlob['version'], Sum> }>();
  for (const { blob, version } of marked) {
    const target = targets.get(version?.target) ?? { blobs: 0, bytes: 0, versions: new Map() };
    targets.set(version?.target, target);
    const sum = target.versions.get(version) ?? { blobs: 0, bytes: 0 };
    target.versions.set(version, sum);
    add(target, blob);
    add(sum, blob);
  }
  return [...targets]
    .map(([target, { versions, ...sum }]) => ({
      target,
      ...sum,
      versions: [...versions].flatMap(([version, of]) => shownVersion(version, of)),
    }))
    .sort((a, b) => b.bytes - a.bytes);
}

const shownVersion = (version: MarkedBlob['version'], { blobs, bytes }: Sum): VersionBytes[] =>
  version ? [{ built: isoOf(version.builtMs), used: isoOf(version.usedMs), blobs, bytes }] : [];

/** How many leftovers of each kind. */
export function countLeftovers(found: readonly Leftover[]): GcReport['leftovers'] {
  const counts: Partial<Record<Leftover['what'], number>> = {};
  for (const { what } of found) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}
