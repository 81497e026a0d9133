import { endianness } from 'node:os';
import { CUT_VERSION } from '../base/cut.ts';
import { createHasher, type Digest } from '../base/digest.ts';
import type { FileIdentity } from '../base/files.ts';
import { digestBytesLength } from './chunks.ts';
import { readColumns, writeColumns } from './columns.ts';

/** Flags of a file. */
export const fileFlags = { racy: 1, small: 2, addNewline: 4 } as const;

/** Raised when the columns or their meaning change. */
const tableVersion = 1;

/** All that is known of a list of local sources after a scan. One file on disk; no object for each file or chunk in memory. */
export interface SourceTable {
  /** Of each file: */
  readonly fileSources: Uint32Array;
  readonly fileGroups: Uint32Array;
  readonly fileFlags: Uint8Array;
  readonly devs: BigInt64Array;
  readonly inos: BigInt64Array;
  readonly sizes: BigInt64Array;
  readonly mtimesNs: BigInt64Array;
  readonly ctimesNs: BigInt64Array;
  /** Only of small files: */
  readonly fileRecords: Float64Array;
  readonly fileDigests: Uint8Array;
  /** Of each chunk: */
  readonly chunkGroups: Uint32Array;
  readonly chunkBytes: Float64Array;
  readonly chunkRecords: Float64Array;
  readonly chunkUs: Uint32Array;
  readonly chunkDigests: Uint8Array;
  /** Only of chunks of big files: */
  readonly chunkXxh64s: BigUint64Array;
  readonly chunkDecidedAts: Float64Array;
  /** The first segment of each chunk, and one more entry for the end of the last. */
  readonly segmentStarts: Uint32Array;
  /** Of each segment: */
  readonly segmentFiles: Uint32Array;
  readonly segmentOffsets: Float64Array;
  readonly segmentBytes: Float64Array;
  /** Texts, packed: file paths of all sources in order; names of groups; the sources' declarations as JSON. */
  readonly paths: Uint8Array;
  readonly groups: Uint8Array;
  readonly specs: Uint8Array;
  /** 32 bytes. */
  readonly listDigest: Uint8Array;
}

const formatOf = (chunkBytes: number): string => `dsbuild sources ${tableVersion} cut ${CUT_VERSION} ${chunkBytes}`;

/** Texts as one block, a NUL behind each: no path holds one. */
export const packTexts = (texts: readonly string[]): Uint8Array => Buffer.from(texts.length === 0 ? '' : `${texts.join('\0')}\0`);

export function unpackTexts(block: Uint8Array): string[] {
  return block.length === 0
    ? []
    : Buffer.from(block.buffer, block.byteOffset, block.length - 1)
        .toString()
        .split('\0');
}

/** The table that was written for chunks of this size; undefined if there is none, or it is damaged or of another version. */
export function readTable(path: string, chunkBytes: number): SourceTable | undefined {
  return readColumns(formatOf(chunkBytes), path) as unknown as SourceTable | undefined;
}

export function writeTable(path: string, chunkBytes: number, table: SourceTable): void {
  writeColumns(formatOf(chunkBytes), path, { ...table });
}

export const fileCount = (table: SourceTable): number => table.fileFlags.length;
export const chunkCount = (table: SourceTable): number => table.chunkGroups.length;

export const hasFlag = (table: SourceTable, file: number, flag: keyof typeof fileFlags): boolean =>
  ((table.fileFlags[file] as number) & fileFlags[flag]) !== 0;

/** Row `index` of a column of 32-byte digests. */
export const digestRow = (digests: Uint8Array, index: number): Uint8Array =>
  digests.subarray(index * digestBytesLength, (index + 1) * digestBytesLength);

/** Compares in place: a no-op build asks this of every file. */
export function isFileAt(table: SourceTable, file: number, seen: FileIdentity): boolean {
  return (
    table.inos[file] === seen.ino &&
    table.mtimesNs[file] === seen.mtimeNs &&
    table.ctimesNs[file] === seen.ctimeNs &&
    table.sizes[file] === seen.size &&
    table.devs[file] === seen.dev
  );
}

export function identityRow(table: SourceTable, file: number): FileIdentity {
  return {
    dev: table.devs[file] as bigint,
    ino: table.inos[file] as bigint,
    size: table.sizes[file] as bigint,
    mtimeNs: table.mtimesNs[file] as bigint,
    ctimeNs: table.ctimesNs[file] as bigint,
  };
}

type ChunkFacts = Pick<SourceTable, 'chunkGroups' | 'chunkBytes' | 'chunkRecords' | 'chunkUs' | 'chunkDigests'>;

const isLittleEndian = endianness() === 'LE';

/** The column's bytes, little-endian: what is hashed is the same on every machine. */
function littleEndian(column: Uint8Array | Uint32Array | Float64Array): Uint8Array {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  if (isLittleEndian || column instanceof Uint8Array) return bytes;
  const copy = Buffer.from(bytes);
  return column instanceof Uint32Array ? copy.swap32() : copy.swap64();
}

/** Group numbers in the order that the chunks name them first, so that a group without chunks changes nothing. */
function numberGroups(chunkGroups: Uint32Array): { numbers: Uint32Array; named: number[] } {
  const numberOf = new Map<number, number>();
  const numbers = chunkGroups.map((group) => {
    const known = numberOf.get(group) ?? numberOf.size;
    numberOf.set(group, known);
    return known;
  });
  return { numbers, named: [...numberOf.keys()] };
}

/** Digest of the ordered (group, digest, bytes, records, u) of all chunks: where they lie is no part of it. */
export function listDigestOf(chunks: ChunkFacts, groups: readonly string[]): Buffer {
  const { numbers, named } = numberGroups(chunks.chunkGroups);
  const hasher = createHasher();
  const names = packTexts(named.map((group) => groups[group] as string));
  hasher.update(littleEndian(Float64Array.of(CUT_VERSION, numbers.length, names.length)));
  for (const column of [names, numbers, chunks.chunkDigests, chunks.chunkBytes, chunks.chunkRecords, chunks.chunkUs]) {
    if (column.length > 0) hasher.update(littleEndian(column));
  }
  return hasher.digest();
}

export const listDigestHex = (table: SourceTable): Digest => Buffer.from(table.listDigest).toString('hex');
