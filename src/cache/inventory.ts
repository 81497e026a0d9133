import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { namesIfReadable } from '../base/files.ts';
import type { Store } from './store.ts';

/** A blob of the store. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly bytes: number;
  /** When it, or the pack that it lies in, was last written to, or put again; milliseconds since 1970. */
  readonly writtenMs: number;
  /** Undefined: a file of its own. */
  readonly pack?: StoredPack;
  readonly offset: number;
}

export interface StoredPack {
  readonly name: string;
  readonly bytes: number;
  readonly writtenMs: number;
}

export interface Inventory {
  readonly blobs: readonly StoredBlob[];
  readonly packs: readonly StoredPack[];
  /** Of all files, with what packs hold for nobody. */
  readonly bytes: number;
}

function* ownBlobs(store: Store): Generator<StoredBlob> {
  for (const digest of store.digests()) {
    const stat = lstatSync(store.path(digest), { throwIfNoEntry: false });
    if (stat?.isFile()) yield { digest, bytes: stat.size, writtenMs: stat.mtimeMs, offset: 0 };
  }
}

function* storedPacks({ packs }: Store): Generator<StoredPack> {
  for (const name of namesIfReadable(packs.dir)) {
    const stat = name.endsWith('.pack') ? lstatSync(join(packs.dir, name), { throwIfNoEntry: false }) : undefined;
    if (stat) yield { name, bytes: stat.size, writtenMs: stat.mtimeMs };
  }
}

function* packedBlobs({ packs }: Store, byName: ReadonlyMap<string, StoredPack>): Generator<StoredBlob> {
  for (const [digest, { pack: name, offset, length }] of packs.entries()) {
    const pack = byName.get(name);
    if (pack && offset + length <= pack.bytes) yield { digest, bytes: length, writtenMs: pack.writtenMs, pack, offset };
  }
}

/** Everything that lies in the store. Cost: one look at each file, 2-3 us. */
export function takeInventory(store: Store): Inventory {
  store.sync();
  store.refresh();
  const own = [...ownBlobs(store)];
  const packs = [...storedPacks(store)];
  const packed = packedBlobs(store, new Map(packs.map((pack) => [pack.name, pack])));
  const bytes = [...own, ...packs].reduce((sum, { bytes: some }) => sum + some, 0);
  return { blobs: [...own, ...packed], packs, bytes };
}
