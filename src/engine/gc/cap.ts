import { statfsSync } from 'node:fs';
import { parseSize } from '../../base/bytes.ts';
import type { Config } from '../../config/define.ts';

/** How large the store may grow. */
export interface Cap {
  readonly bytes: number;
  /** `cache.sizeMax`, or how it came about. */
  readonly says: string;
}

/** Of what the disk would have free without the store: the fuller the disk, the smaller the cache, and never is all of it taken. */
const defaultShare = 0.5;
/** A collection goes a little below the cap, so that not every build ends with one. */
const goalShare = 0.9;

/** @param root a folder on the disk of the store. */
export function capOf({ cache }: Config, { root, storeBytes }: { root: string; storeBytes: number }): Cap {
  const sizeMax = cache?.sizeMax;
  const fixed = sizeMax === undefined ? undefined : parseSize(sizeMax);
  if (fixed !== undefined) return { bytes: fixed, says: 'cache.sizeMax' };
  const { blocks, bavail, bsize } = statfsSync(root);
  if (sizeMax !== undefined)
    return { bytes: Math.round((blocks * bsize * Number.parseFloat(sizeMax)) / 100), says: `cache.sizeMax: ${sizeMax} of the disk` };
  return { bytes: Math.round((bavail * bsize + storeBytes) * defaultShare), says: 'half of what this disk would have free without it' };
}

export const goalOf = ({ bytes }: Cap): number => Math.floor(bytes * goalShare);
