import type { Digest } from '../../base/digest.ts';
import type { Inventory, StoredBlob } from '../../cache/inventory.ts';
import { readLock } from '../../cache/lock.ts';
import type { TargetResult } from '../../cache/results.ts';
import type { Version } from '../../cache/uses.ts';
import { type HeldAs, heldBy } from '../held.ts';
import { lastPlans } from '../last-plan.ts';
import type { Project } from '../project.ts';

export interface HeldVersion extends Version {
  readonly result: TargetResult;
  /** What the target was when it was last built. */
  readonly isCurrent: boolean;
}

/** `external`: came from outside, and can not be made again; `unreferenced`: of builds that did not end, or that nobody remembers. */
export type BlobKind = HeldAs | 'external' | 'unreferenced';

/** A blob with the version that used it last, if any does. */
export interface MarkedBlob {
  readonly blob: StoredBlob;
  readonly kind: BlobKind;
  readonly version: HeldVersion | undefined;
}

/** Versions of targets of which there is a result, the most recently used first. */
export function heldVersions({ stateDir, results, uses }: Project): HeldVersion[] {
  const current = new Map<string, Digest>();
  const found: Version[] = [];
  for (const { plan, writtenMs } of lastPlans(stateDir)) {
    current.set(plan.target, plan.key);
    found.push({ target: plan.target, key: plan.key, builtMs: writtenMs, usedMs: writtenMs });
  }
  const noted = uses.versions();
  const isNoted = new Set(noted.map(({ target, key }) => `${target}\n${key}`));
  const versions = [...noted, ...found.filter(({ target, key }) => !isNoted.has(`${target}\n${key}`))];
  return versions
    .flatMap((version) => {
      const result = results.target(version.key);
      return result ? [{ ...version, result, isCurrent: current.get(version.target) === version.key }] : [];
    })
    .sort((a, b) => b.usedMs - a.usedMs);
}

/** Digests of all that came from outside: results of external steps, and what the lock pins. */
function externalDigests({ results, lockFile }: Project): Set<Digest> {
  const pinned = readLock(lockFile)
    .entries()
    .flatMap(({ values }) => values['blake3'] ?? []);
  return new Set([...results.externalParts(), ...pinned]);
}

/** Says of each blob what it is, and which version of which target used it last. */
export function mark(project: Project, { blobs }: Inventory): MarkedBlob[] {
  const external = externalDigests(project);
  const unclaimed = new Set(blobs.map(({ digest }) => digest));
  const holders = new Map<Digest, { kind: BlobKind; version: HeldVersion }>();
  for (const version of heldVersions(project)) {
    for (const { digest, as } of heldBy(version.result, project.store)) {
      if (!unclaimed.delete(digest)) continue;
      holders.set(digest, { kind: as, version });
    }
  }
  return blobs.map((blob) => {
    const { kind = 'unreferenced', version } = holders.get(blob.digest) ?? {};
    return { blob, kind: external.has(blob.digest) ? 'external' : kind, version };
  });
}
