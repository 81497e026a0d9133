import { type Digest, digestHex } from '../base/digest.ts';
import { absolutePathsOf, chunkRanges } from '../source/known.ts';
import { chunkCount, digestRow, hasFlag, readTable } from '../source/table.ts';
import { TableView } from '../source/view.ts';

/** What a file held: equal contents have equal digests, whatever the file is called. */
export interface LastFile {
  readonly content: Digest;
  readonly lines: number;
}

/** What a table of sources held: its chunks, and its files by absolute path. */
export interface LastChunks {
  readonly digests: ReadonlySet<Digest>;
  readonly files: ReadonlyMap<string, LastFile>;
}

const hexOf = (digests: Uint8Array, row: number): Digest => Buffer.from(digestRow(digests, row)).toString('hex');

/**
 * Reads a table that was kept, to tell what changed since; undefined when there is none, or chunks were of another size.
 *
 * @param now file of a later table: paths are where its project lies.
 */
export function lastChunks(tableFile: string, chunkBytes: number, now = tableFile): LastChunks | undefined {
  const table = readTable(tableFile, chunkBytes);
  if (!table) return undefined;
  const digests = new Set(Array.from({ length: chunkCount(table) }, (_, i) => hexOf(table.chunkDigests, i)));
  const ranges = chunkRanges(table);
  const paths = absolutePathsOf(table, now === tableFile ? table : readTable(now, chunkBytes));
  const lines = [...new TableView(table).files()].map((file) => file.lines);
  const contentOf = (file: number): Digest => {
    if (hasFlag(table, file, 'small')) return hexOf(table.fileDigests, file);
    const { from, to } = ranges.get(file) ?? { from: 0, to: 0 };
    return digestHex(table.chunkDigests.subarray(from * 32, to * 32));
  };
  return { digests, files: new Map(paths.map((path, file) => [path, { content: contentOf(file), lines: lines[file] ?? 0 }])) };
}
