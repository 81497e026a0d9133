import { statSync } from 'node:fs';
import { chunkBytesDefault } from '../base/cut.ts';
import type { Digest } from '../base/digest.ts';
import type { FileIdentity } from '../base/files.ts';
import { listSource, type MissingPath, type SourceListing, type SourceSpec } from './list.ts';
import { pathIn } from './paths.ts';
import type { ScanFile } from './scan-file.ts';
import { chunkCount, fileCount, fileFlags, isFileAt, listDigestHex, packTexts, readTable, type SourceTable, writeTable } from './table.ts';
import { type LocalChunk, type SourceLine, TableView } from './view.ts';

const noFiles: ReadonlySet<string> = new Set();

export interface ScanLocalOptions {
  readonly sources: readonly SourceSpec[];
  /** Where the table of the last scan lies, and the new one is put. */
  readonly tableFile: string;
  /** The size that chunks are aimed at; 8 MiB unless a test wants less. */
  readonly chunkBytes?: number;
  /** Read every file, even if its identity says that it is unchanged. */
  readonly paranoid?: boolean;
  /** Absolute paths of files that are read even then. */
  readonly doubted?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Scans one big file; in this thread unless a pool does it. Up to 16 are asked for at once. */
  readonly scanFile?: ScanFile;
}

/** Local sources as a list of chunks. */
export interface LocalSources {
  /** Digest of the ordered (group, chunk digest, bytes, records, u): equal ones have equal records in equal chunks. */
  readonly listDigest: Digest;
  /** Whether `listDigest` is that of the last scan. */
  readonly unchanged: boolean;
  /** In the order of their first files; a group whose files are all empty has no chunk. */
  readonly groups: readonly string[];
  readonly files: number;
  /** Of all files. */
  readonly bytes: number;
  readonly missing: readonly MissingPath[];
  /** For each source, in order: its files that `accepts` set apart. POSIX, relative to the source's base folder. */
  readonly others: readonly (readonly string[])[];
  /** For each source, in order: how many files it has, those among them. */
  readonly filesOf: readonly number[];
  /** Links to folders that globs did not enter, likewise. */
  readonly linkedFolders: readonly (readonly string[])[];
  readonly chunkCount: number;
  /** @throws {RangeError} if there is no such chunk. */
  chunk(index: number): LocalChunk;
  /** File and line of a chunk's record, counted from 0. @throws {RangeError} if there is no such record. */
  lines(index: number, record: number): SourceLine;
  /** The first chunk with this digest. */
  indexOf(digest: Digest): number | undefined;
  /** Chunk and record of a file's line, counted from 1. */
  recordAt(path: string, line: number): { chunk: number; record: number } | undefined;
  /** Absolute paths of all files, in the order of the sources. */
  paths(): readonly string[];
  /** The identity that the file at this absolute path had when it was read. */
  fileIdentity(path: string): FileIdentity | undefined;
}

/** Whether the table is of these paths. */
function lists(table: SourceTable, specs: readonly SourceSpec[], listings: readonly SourceListing[]): boolean {
  if (Buffer.compare(table.specs, Buffer.from(JSON.stringify(specs))) !== 0) return false;
  return Buffer.compare(table.paths, packTexts(listings.flatMap((listing) => listing.paths))) === 0;
}

/** Whether the files are the very ones that the table describes, by comparing numbers in place: a no-op build does this for 100,000 files. */
function describes(table: SourceTable, specs: readonly SourceSpec[], listings: readonly SourceListing[]): boolean {
  if (table.fileFlags.some((flags) => (flags & fileFlags.racy) !== 0)) return false;
  let file = 0;
  return specs.every(({ base }, source) =>
    (listings[source] as SourceListing).paths.every((path) => {
      const seen = statSync(pathIn(base, path), { bigint: true, throwIfNoEntry: false });
      return seen !== undefined && isFileAt(table, file++, seen);
    }),
  );
}

/** The listings of now, if they are the table's. What is no file can not be as the table says: looking at the files proves a listing of names too. */
function knownListings(table: SourceTable, specs: readonly SourceSpec[]): readonly SourceListing[] | undefined {
  for (const proof of ['later', 'each'] as const) {
    const listings = specs.map((spec) => listSource(spec, proof));
    if (lists(table, specs, listings)) return listings;
  }
  return undefined;
}

function localSources(table: SourceTable, listings: readonly SourceListing[], unchanged: boolean): LocalSources {
  const view = new TableView(table);
  return {
    listDigest: listDigestHex(table),
    unchanged,
    get groups() {
      return view.groups();
    },
    files: fileCount(table),
    bytes: Number(table.sizes.reduce((sum, size) => sum + size, 0n)),
    missing: listings.flatMap((listing) => listing.missing),
    others: listings.map((listing) => listing.others),
    filesOf: listings.map(({ paths, others }) => paths.length + others.length),
    linkedFolders: listings.map((listing) => listing.linkedFolders),
    chunkCount: chunkCount(table),
    chunk: (index) => view.chunk(index),
    lines: (index, record) => view.line(index, record),
    indexOf: (digest) => view.indexOf(digest),
    recordAt: (path, line) => view.recordAt(path, line),
    paths: () => view.paths(),
    fileIdentity: (path) => view.identity(path),
  };
}

/**
 * Scans local sources into chunks. Files that are as the last scan saw them are not read (unless `paranoid`); of a changed one, only the
 * chunks that changed are named anew. The chunks are always those of a scan from nothing.
 *
 * @throws {BuildError} `source-changing`, `source-gone`, `source-unreadable`; the signal's reason if it aborts.
 */
export async function scanLocal(options: ScanLocalOptions): Promise<LocalSources> {
  const { sources: specs, tableFile, chunkBytes = chunkBytesDefault, paranoid = false, doubted = noFiles, signal } = options;
  signal?.throwIfAborted();
  const old = readTable(tableFile, chunkBytes);
  if (old && !paranoid && doubted.size === 0) {
    const listings = knownListings(old, specs);
    if (listings && describes(old, specs, listings)) return localSources(old, listings, true);
  }
  const { scanAnew } = await import('./scan-anew.ts');
  const { scanFile, now = Date.now } = options;
  const { listings, table } = await scanAnew({ specs, chunkBytes, ...(scanFile && { scanFile }), now, signal, paranoid, doubted }, old);
  writeTable(tableFile, chunkBytes, table);
  const unchanged = old !== undefined && Buffer.compare(old.listDigest, table.listDigest) === 0;
  return localSources(table, listings, unchanged);
}
