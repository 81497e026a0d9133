import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createHasher, type Digest } from '../../base/digest.ts';
import { systemCodeOf } from '../../base/errors.ts';
import { openFile } from '../../base/files.ts';
import { limits } from '../../base/limits.ts';
import { isWhole } from '../../cache/part-reader.ts';
import type { Location } from '../../cache/store.ts';
import { inOrder } from './in-order.ts';

/** Bytes that are to be read and hashed. */
export interface ToRead {
  readonly digest: Digest;
  readonly location: Location;
  readonly bytes: number;
}

/** Reads that are under way at once: hashing is faster than one reader. */
const lanes = Math.min(8, 2 * availableParallelism());
const pieceBytes = 1024 * 1024;

export const bytesAt = (location: Location): number => location.reduce((sum, { length }) => sum + length, 0);

/** Whether the bytes at a place are those of a digest; nothing there is a no. */
async function isThere({ digest, location, bytes }: ToRead): Promise<boolean> {
  const [only] = location;
  if (bytes < limits.packedBytesMax || location.length !== 1 || !only) return isWhole(digest, location);
  const hasher = createHasher();
  const { path, offset, length } = only;
  try {
    const stream = createReadStream(path, { fd: openFile(path), start: offset, end: offset + length - 1, highWaterMark: pieceBytes });
    for await (const piece of stream) hasher.update(piece as Buffer);
  } catch (error) {
    if (['ENOENT', 'not-a-file'].includes(systemCodeOf(error) ?? '')) return false;
    throw error;
  }
  return hasher.digest().toString('hex') === digest;
}

/** Reads all of them, several at once, and tells of each whether it is whole. @throws when the signal is aborted. */
export const readAll = <T extends ToRead>(
  all: readonly T[],
  signal: AbortSignal,
  told: (isWhole: boolean, one: T) => void,
): Promise<void> => inOrder(all, { lanes, signal, work: isThere, told });
