import { digestBytes } from '../base/digest.ts';
import { type FileIdentity, sameIdentity } from '../base/files.ts';
import type { ChunkColumns } from './chunks.ts';
import type { SourceSpec } from './list.ts';
import { pathIn } from './paths.ts';
import type { KnownChunks } from './rescan.ts';
import type { SmallFile } from './small.ts';
import { chunkCount, digestRow, fileCount, hasFlag, identityRow, type SourceTable, unpackTexts } from './table.ts';

/** The chunks `[from, to)` of the table. */
interface ChunkRange {
  readonly from: number;
  readonly to: number;
}

const specsOf = (table: SourceTable): SourceSpec[] => JSON.parse(Buffer.from(table.specs).toString()) as SourceSpec[];

/**
 * Absolute paths of the table's files.
 *
 * @param now a later table of the same target: sources that it has below another folder were moved there with their project.
 */
export function absolutePathsOf(table: SourceTable, now = table): string[] {
  const sourceOf = ({ group, patterns }: SourceSpec): string => JSON.stringify([group, patterns]);
  const basesNow = new Map(specsOf(now).map((spec) => [sourceOf(spec), spec.base]));
  const bases = specsOf(table).map((spec) => basesNow.get(sourceOf(spec)) ?? spec.base);
  return unpackTexts(table.paths).map((path, file) => pathIn(bases[table.fileSources[file] as number] as string, path));
}

/** Chunks of each big file that has any. They follow one another. */
export function chunkRanges(table: SourceTable): Map<number, ChunkRange> {
  const ranges = new Map<number, ChunkRange>();
  for (let chunk = 0; chunk < chunkCount(table); chunk++) {
    const file = table.segmentFiles[table.segmentStarts[chunk] as number] as number;
    if (!hasFlag(table, file, 'small')) ranges.set(file, { from: ranges.get(file)?.from ?? chunk, to: chunk + 1 });
  }
  return ranges;
}

/** Copies, because a view sent to a worker would take the whole table with it. */
function columnsOf(table: SourceTable, { from, to }: ChunkRange): ChunkColumns {
  const segments = table.segmentStarts.subarray(from, to);
  return {
    ends: Float64Array.from(segments, (segment) => (table.segmentOffsets[segment] as number) + (table.segmentBytes[segment] as number)),
    records: table.chunkRecords.slice(from, to),
    xxh64s: table.chunkXxh64s.slice(from, to),
    digests: table.chunkDigests.slice(from * 32, to * 32),
    us: table.chunkUs.slice(from, to),
    decidedAts: table.chunkDecidedAts.slice(from, to),
  };
}

/** Digest of what a chunk is made of: equal ones have equal bytes. */
const compositionOf = (fileDigests: readonly Uint8Array[]): string => digestBytes(Buffer.concat(fileDigests)).toString('hex');

/** What an earlier scan knows, found by path, inode or content. */
export class KnownSources {
  readonly #table: SourceTable;
  readonly #fileOfPath: Map<string, number>;
  readonly #ranges: Map<number, ChunkRange>;
  #fileOfInode: Map<bigint, number> | undefined;
  #digestOfComposition: Map<string, Uint8Array> | undefined;

  constructor(table: SourceTable) {
    this.#table = table;
    this.#fileOfPath = new Map(absolutePathsOf(table).map((path, file) => [path, file]));
    this.#ranges = chunkRanges(table);
  }

  /** The file at this path, if it surely has the bytes that were scanned. */
  unchanged(path: string, seen: FileIdentity): number | undefined {
    const file = this.#fileOfPath.get(path);
    if (file === undefined || hasFlag(this.#table, file, 'racy')) return undefined;
    return sameIdentity(identityRow(this.#table, file), seen) ? file : undefined;
  }

  isSmall(file: number): boolean {
    return hasFlag(this.#table, file, 'small');
  }

  smallFile(file: number): SmallFile {
    return {
      identity: identityRow(this.#table, file),
      digest: digestRow(this.#table.fileDigests, file),
      records: this.#table.fileRecords[file] as number,
      addNewline: hasFlag(this.#table, file, 'addNewline'),
    };
  }

  chunks(file: number): ChunkColumns {
    return columnsOf(this.#table, this.#ranges.get(file) ?? { from: 0, to: 0 });
  }

  /** Chunks that a changed file may still have: those of its path, or of the name that it had before it was renamed. */
  likely(path: string, { ino }: FileIdentity): KnownChunks | undefined {
    const file = this.#bigFile(this.#fileOfPath.get(path)) ?? this.#bigFile(this.#byInode().get(ino));
    return file === undefined ? undefined : { size: Number(this.#table.sizes[file]), chunks: this.chunks(file) };
  }

  /** The digest of the shared chunk that was made of files with these digests. */
  sharedDigest(fileDigests: readonly Uint8Array[]): Uint8Array | undefined {
    this.#digestOfComposition ??= this.#compositions();
    return this.#digestOfComposition.get(compositionOf(fileDigests));
  }

  #bigFile(file: number | undefined): number | undefined {
    return file === undefined || this.isSmall(file) ? undefined : file;
  }

  #byInode(): Map<bigint, number> {
    this.#fileOfInode ??= new Map(Array.from({ length: fileCount(this.#table) }, (_, file) => [this.#table.inos[file] as bigint, file]));
    return this.#fileOfInode;
  }

  #compositions(): Map<string, Uint8Array> {
    const { segmentStarts, segmentFiles, chunkDigests, fileDigests } = this.#table;
    const map = new Map<string, Uint8Array>();
    for (let chunk = 0; chunk < chunkCount(this.#table); chunk++) {
      const files = segmentFiles.subarray(segmentStarts[chunk], segmentStarts[chunk + 1]);
      if (!this.isSmall(files[0] as number)) continue;
      map.set(compositionOf(Array.from(files, (file) => digestRow(fileDigests, file))), digestRow(chunkDigests, chunk));
    }
    return map;
  }
}
