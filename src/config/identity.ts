import { statSync } from 'node:fs';
import { type Digest, digestHex } from '../base/digest.ts';
import { readFile } from '../base/files.ts';

/** A change within this time of a look may leave size and times as they were: file systems count in steps of up to two seconds. */
const racyMs = 2000;

/** A file as it was when it was read. */
export interface SeenFile {
  readonly path: string;
  readonly digest: Digest;
  /** Size, times in nanoseconds and inode, as one text; '' when it changed too shortly before to be trusted. */
  readonly identity: string;
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return '';
  const changed = Math.max(Number(stat.mtimeMs), Number(stat.ctimeMs));
  if (changed > Date.now() - racyMs) return '';
  return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.dev} ${stat.ino}`;
}

/** Reads a file. Its identity is taken first, so that an edit in between makes the identity old, never the bytes. */
export function readSeen(path: string): { seen: SeenFile; bytes: Buffer } {
  const identity = identityOf(path);
  const bytes = readFile(path);
  return { seen: { path, digest: digestHex(bytes), identity }, bytes };
}

/** The file as it is now if its bytes are those that were seen, else undefined. Reads it only if its identity says too little. */
export function seenAgain(before: SeenFile): SeenFile | undefined {
  const identity = identityOf(before.path);
  if (identity !== '' && identity === before.identity) return before;
  try {
    const { seen } = readSeen(before.path);
    return seen.digest === before.digest ? seen : undefined;
  } catch {
    return undefined;
  }
}
