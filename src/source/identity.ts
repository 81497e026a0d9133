import type { BigIntStats } from 'node:fs';
import type { FileIdentity } from '../base/files.ts';

/** The coarsest clock of a file system in use (FAT): a file changed this shortly before it was read may change again unseen. */
const racyNs = 2_000_000_000n;

export function identityFrom(stats: BigIntStats): FileIdentity {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return { dev, ino, size, mtimeNs, ctimeNs };
}

/**
 * Whether a file with this identity may change once more and keep it.
 *
 * @param readAtMs when reading began, in milliseconds since 1970. A change time in the future counts as racy until it has passed.
 */
export function isRacy({ mtimeNs, ctimeNs }: FileIdentity, readAtMs: number): boolean {
  const readAtNs = BigInt(Math.floor(readAtMs)) * 1_000_000n;
  return ctimeNs > readAtNs - racyNs || (mtimeNs > readAtNs - racyNs && mtimeNs < readAtNs + racyNs);
}
