import type { Digest } from '../base/digest.ts';
import { absolutePathsOf } from '../source/known.ts';
import { chunkCount, digestRow, hasFlag, readTable } from '../source/table.ts';

/** What a table of sources held: its chunks, and its small files by path. */
export interface LastChunks {
  readonly digests: ReadonlySet<Digest>;
  readonly smallFiles: ReadonlyMap<string, Digest>;
}

const hexOf = (digests: Uint8Array, row: number): Digest => Buffer.from(digestRow(digests, row)).toString('hex');

/** Reads a table that was kept, to tell what changed since; undefined when there is none, or chunks were of another size. */
export function lastChunks(tableFile: string, chunkBytes: number): LastChunks | undefined {
  const table = readTable(tableFile, chunkBytes);
  if (!table) return undefined;
  const digests = new Set(Array.from({ length: chunkCount(table) }, (_, i) => hexOf(table.chunkDigests, i)));
  const smallFiles = new Map<string, Digest>();
  absolutePathsOf(table).forEach((path, i) => {
    if (hasFlag(table, i, 'small')) smallFiles.set(path, hexOf(table.fileDigests, i));
  });
  return { digests, smallFiles };
}
