import type { CacheSummary } from '../../base/events.ts';
import { takeInventory } from '../../cache/inventory.ts';
import type { Project } from '../project.ts';
import { capOf } from './cap.ts';
import { collect, gcClaim } from './collect.ts';

/** What the store has; walked through only where nobody has counted, or a build was killed before it said what it had written. */
function bytesOf({ store, live }: Project): number {
  const known = live.look().crashed > 0 ? undefined : store.size.read();
  if (known !== undefined) return known;
  const { bytes } = takeInventory(store);
  store.size.measured(bytes);
  return bytes;
}

/**
 * Collects garbage if a build has made the store larger than it may be. A build that wrote nothing looks at nothing.
 * @returns what the summary says of it, if anything.
 */
export function keepBelowCap(project: Project): CacheSummary | undefined {
  const { store, root, config, claims } = project;
  if (!store.size.hasChanged) return undefined;
  store.size.hasChanged = false;
  const storeBytes = bytesOf(project);
  const cap = capOf(config, { root, storeBytes });
  if (storeBytes <= cap.bytes) return undefined;
  const release = claims.takeNow(gcClaim);
  // Somebody collects already.
  if (!release) return undefined;
  try {
    const { bytes, bytesBefore, max } = collect(project, { dryRun: false });
    return { bytes, freed: bytesBefore - bytes, max };
  } finally {
    release();
  }
}
