import { join } from 'node:path';
import { readNote, writeNote } from '../../base/notes.ts';
import { takeInventory } from '../../cache/inventory.ts';
import { leftovers, removeLeftovers } from '../../cache/leftovers.ts';
import { sweep } from '../../cache/sweep.ts';
import type { Project } from '../project.ts';
import { type Cap, capOf, goalOf } from './cap.ts';
import { choose, mayGo } from './choose.ts';
import { heldVersions, type MarkedBlob, mark } from './mark.ts';
import { byTarget, countLeftovers, type GcReport } from './report.ts';

export interface GcRequest {
  /** Collect down to this, whatever the cap. */
  readonly maxBytes?: number;
  readonly dryRun: boolean;
}

/** What is remembered of the last collection. */
export interface LastGc {
  /** ISO 8601. */
  readonly at: string;
  readonly freed: number;
  readonly tookMs: number;
}

const lastGcFile = (storeDir: string): string => join(storeDir, 'gc.json');

export const lastGc = ({ store }: Project): LastGc | undefined => readNote<LastGc>(lastGcFile(store.dir));

/** Collections of one folder come one after the other; builds go on meanwhile. */
export const gcClaim = 'gc';

/** Collects what builds have not used for longest. Waits while another process collects. */
export async function collectGarbage(project: Project, request: GcRequest): Promise<GcReport> {
  const { release } = await project.claims.take(gcClaim, project.signal);
  try {
    return collect(project, request);
  } finally {
    release();
  }
}

/** The same, for who holds the claim. */
export function collect(project: Project, { maxBytes, dryRun }: GcRequest): GcReport {
  const started = performance.now();
  const { store, live } = project;
  const { youngMs } = live.look();
  project.results.refresh();
  const inventory = takeInventory(store);
  const marked = mark(project, inventory);
  const cap = maxBytes === undefined ? capOf(project.config, { root: project.root, storeBytes: inventory.bytes }) : undefined;
  const { max, goal } = aims(inventory.bytes, { cap, maxBytes });
  const chosen = choose(marked, { bytes: inventory.bytes, goalBytes: goal, youngMs });
  const left = [...leftovers(project.stateDir)];
  const evict = new Set(chosen.map(({ blob }) => blob.digest));
  const swept = dryRun ? undefined : sweep(store, { inventory, evict, youngMs, goalBytes: goal });
  if (swept) {
    removeLeftovers(left);
    remember(project, { bytes: swept.bytes, freed: inventory.bytes - swept.bytes, tookMs: performance.now() - started });
  }
  return {
    dryRun,
    bytesBefore: inventory.bytes,
    bytes: swept?.bytes ?? inventory.bytes - chosen.reduce((sum, { blob }) => sum + blob.bytes, 0),
    max,
    goal,
    targets: byTarget(chosen),
    spared: sparedOf(marked, youngMs),
    leftovers: countLeftovers(left),
    diskFull: swept?.diskFull ?? false,
    tookMs: performance.now() - started,
  };
}

/** A size that was asked for is met as it is; the cap has an effect only above it, and then some room is made. */
function aims(bytes: number, { cap, maxBytes }: { cap: Cap | undefined; maxBytes: number | undefined }): { max: number; goal: number } {
  if (!cap) return { max: maxBytes ?? bytes, goal: maxBytes ?? bytes };
  return { max: cap.bytes, goal: bytes > cap.bytes ? goalOf(cap) : cap.bytes };
}

function sparedOf(marked: readonly MarkedBlob[], youngMs: number): GcReport['spared'] {
  const spared = { external: 0, lists: 0, young: 0 };
  for (const one of marked) {
    if (mayGo(one, youngMs)) continue;
    const why = one.kind === 'external' ? 'external' : one.kind === 'list' && one.version?.isCurrent ? 'lists' : 'young';
    spared[why] += one.blob.bytes;
  }
  return spared;
}

/** The size is exact now; versions of which not even a list is left are no longer known as such, though their results are. */
function remember(project: Project, { bytes, freed, tookMs }: { bytes: number; freed: number; tookMs: number }): void {
  const { store, uses } = project;
  store.size.measured(bytes);
  writeNote(lastGcFile(store.dir), { at: new Date().toISOString(), freed, tookMs } satisfies LastGc);
  if (freed === 0) return;
  const held = heldVersions(project).filter(({ result }) =>
    [...Object.values(result.outputs).map(({ digest }) => digest), result.lineage ?? ''].some(
      (digest) => digest !== '' && store.locate(digest),
    ),
  );
  uses.keep(held.map(({ target, key, builtMs, usedMs }) => ({ target, key, builtMs, usedMs })));
}
