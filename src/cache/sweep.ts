import { closeSync, lstatSync, openSync, readSync, rmSync } from 'node:fs';
import { type Digest, digestHex } from '../base/digest.ts';
import { systemCodeOf } from '../base/errors.ts';
import { isProcessAlive } from '../base/host.ts';
import type { Inventory, StoredBlob, StoredPack } from './inventory.ts';
import type { Store } from './store.ts';

export interface SweepRequest {
  readonly inventory: Inventory;
  readonly evict: ReadonlySet<Digest>;
  /** What was written since then stays, and so do packs that were written to. */
  readonly youngMs: number;
  /** The store is to have at most so many bytes, if that can be reached by rewriting packs. */
  readonly goalBytes: number;
}

export interface Swept {
  readonly blobs: number;
  /** What the store has now. */
  readonly bytes: number;
  /** Packs that were removed or joined into others. */
  readonly packs: number;
  /** There was no room to rewrite packs: they are as they were. */
  readonly diskFull: boolean;
}

/** A pack of which a larger share is held for nobody is rewritten. */
const deadShareMax = 0.25;
/** So many packs below this size are joined: every build with small outputs leaves one. */
const smallPackBytes = 1024 * 1024;
const smallPacksMax = 16;
/** How many bytes are copied before they are made durable and what they were copied from is removed. */
const batchBytes = 64 * 1024 * 1024;

/** A pack and what of it stays. */
interface PackPlan {
  readonly pack: StoredPack;
  readonly live: readonly StoredBlob[];
  readonly evicted: number;
  readonly deadBytes: number;
}

/**
 * Removes blobs. Files of their own go first; then packs are rewritten without what is evicted. At any moment of it, a crash included, the
 * store holds each blob that stays: a pack is removed only when the copies of its blobs, and the index that names them, are on the disk.
 * Nothing is said to be gone: a blob is where its pack is, so that one which another process has just put again is never hidden.
 */
export function sweep(store: Store, request: SweepRequest): Swept {
  const { inventory, evict } = request;
  let { bytes } = inventory;
  let blobs = 0;
  for (const blob of inventory.blobs) {
    if (blob.pack || !evict.has(blob.digest) || !removeUntouched(store.path(blob.digest), blob.writtenMs)) continue;
    bytes -= blob.bytes;
    blobs++;
  }
  store.packs.end();
  const plans = packPlans(inventory, request).filter(({ pack }) => mayGo(pack, request));
  const rewritten = new Rewriting(store, bytes, request.goalBytes).run(plans);
  return { ...rewritten, blobs: blobs + rewritten.blobs };
}

/** Removes a file, unless somebody has put it again since it was looked at. */
function removeUntouched(path: string, writtenMs: number): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs !== writtenMs) return false;
  rmSync(path, { force: true });
  return true;
}

/** A pack that some process may still append to is left alone. */
function mayGo({ name, writtenMs }: StoredPack, { youngMs }: SweepRequest): boolean {
  const pid = Number(/^blobs-(\d+)-/.exec(name)?.[1] ?? 0);
  return writtenMs < youngMs && (pid === process.pid || pid === 0 || !isProcessAlive(pid));
}

function packPlans({ blobs, packs }: Inventory, { evict }: SweepRequest): PackPlan[] {
  const held = new Map<StoredPack, StoredBlob[]>(packs.map((pack) => [pack, []]));
  for (const blob of blobs) if (blob.pack) held.get(blob.pack)?.push(blob);
  return [...held].map(([pack, all]) => {
    const live = all.filter(({ digest }) => !evict.has(digest)).sort((a, b) => a.offset - b.offset);
    const deadBytes = pack.bytes - live.reduce((sum, { bytes }) => sum + bytes, 0);
    return { pack, live, evicted: all.length - live.length, deadBytes };
  });
}

/** Rewrites packs, those with the largest dead share first, as long as it is worth it. */
class Rewriting {
  readonly #store: Store;
  readonly #goalBytes: number;
  #bytes: number;
  #blobs = 0;
  #packs = 0;
  #copied: { plans: PackPlan[]; bytes: number } = { plans: [], bytes: 0 };

  constructor(store: Store, bytes: number, goalBytes: number) {
    this.#store = store;
    this.#bytes = bytes;
    this.#goalBytes = goalBytes;
  }

  run(plans: readonly PackPlan[]): Swept {
    try {
      this.#rewrite(plans);
      this.#store.packs.compact();
      return { blobs: this.#blobs, bytes: this.#bytes, packs: this.#packs, diskFull: false };
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOSPC') throw error;
      return { blobs: this.#blobs, bytes: this.#bytes + this.#copied.bytes, packs: this.#packs, diskFull: true };
    }
  }

  #rewrite(plans: readonly PackPlan[]): void {
    const shareOf = ({ deadBytes, pack }: PackPlan): number => (pack.bytes === 0 ? 1 : deadBytes / pack.bytes);
    const small = plans.filter(({ pack }) => pack.bytes < smallPackBytes);
    const isJoined = new Set(small.length > smallPacksMax ? small : []);
    for (const plan of [...plans].sort((a, b) => shareOf(b) - shareOf(a))) {
      const isWanted = shareOf(plan) > deadShareMax || isJoined.has(plan) || (plan.deadBytes > 0 && this.#bytes > this.#goalBytes);
      if (isWanted) this.#copy(plan);
    }
    this.#finish();
  }

  #copy(plan: PackPlan): void {
    const { pack, live, deadBytes } = plan;
    if (live.length > 0) copyLive(this.#store, pack, live);
    this.#copied.plans.push(plan);
    this.#copied.bytes += pack.bytes - deadBytes;
    this.#bytes -= deadBytes;
    if (this.#copied.bytes >= batchBytes) this.#finish();
  }

  /** The copies are made durable, and then what they were made from goes. */
  #finish(): void {
    const { plans } = this.#copied;
    if (plans.length === 0) return;
    this.#store.packs.seal();
    for (const { pack, evicted } of plans) {
      if (removeUntouched(this.#store.packs.path(pack.name), pack.writtenMs)) {
        this.#packs++;
        this.#blobs += evicted;
      } else this.#bytes += pack.bytes;
    }
    this.#copied = { plans: [], bytes: 0 };
  }
}

/** Damaged blobs are left behind: they are missing then, and made again. */
function copyLive(store: Store, { name }: StoredPack, live: readonly StoredBlob[]): void {
  const fd = openSync(store.packs.path(name), 'r');
  try {
    for (const { digest, offset, bytes: length } of live) {
      const bytes = Buffer.allocUnsafe(length);
      const read = readSync(fd, bytes, 0, length, offset);
      if (read === length && digestHex(bytes) === digest) store.packs.append(digest, bytes);
    }
  } finally {
    closeSync(fd);
  }
}
