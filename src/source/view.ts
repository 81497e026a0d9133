import type { Digest } from '../base/digest.ts';
import type { FileIdentity } from '../base/files.ts';
import { absolutePathsOf, chunkRanges } from './known.ts';
import type { Segment } from './segments.ts';
import { chunkCount, digestRow, hasFlag, identityRow, type SourceTable, unpackTexts } from './table.ts';

/** A chunk of a local source: what it is, and where its bytes lie. */
export interface LocalChunk {
  readonly group: string;
  readonly digest: Digest;
  /** Newlines that are added to small files included. */
  readonly bytes: number;
  readonly records: number;
  /** Hash of its last record; of its last file, if it is made of small ones. */
  readonly u: number;
  readonly segments: readonly Segment[];
}

export interface SourceLine {
  /** Absolute. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  readonly lines: number;
  readonly bytes: number;
}

/** Answers questions about a table; makes objects only for what is asked. */
export class TableView {
  readonly #table: SourceTable;
  #paths: string[] | undefined;
  #groups: string[] | undefined;
  #fileOfPath: Map<string, number> | undefined;
  #chunkOfDigest: Map<Digest, number> | undefined;

  constructor(table: SourceTable) {
    this.#table = table;
  }

  groups(): string[] {
    this.#groups ??= unpackTexts(this.#table.groups);
    return this.#groups;
  }

  chunk(index: number): LocalChunk {
    this.#check(index);
    const { segmentStarts, chunkBytes, chunkRecords, chunkUs, chunkGroups } = this.#table;
    const from = segmentStarts[index] as number;
    return {
      group: this.groups()[chunkGroups[index] as number] as string,
      digest: this.#digest(index),
      bytes: chunkBytes[index] as number,
      records: chunkRecords[index] as number,
      u: chunkUs[index] as number,
      segments: Array.from({ length: (segmentStarts[index + 1] as number) - from }, (_, i) => this.#segment(from + i)),
    };
  }

  /** File and line of record `record` (from 0) of chunk `index`. */
  line(index: number, record: number): SourceLine {
    this.#check(index);
    if (!(record >= 0 && record < (this.#table.chunkRecords[index] as number))) {
      throw new RangeError(`chunk ${index} has no record ${record}`);
    }
    const { segmentStarts, segmentFiles, fileRecords } = this.#table;
    let segment = segmentStarts[index] as number;
    let left = record;
    while (this.#isSmall(segment) && left >= (fileRecords[segmentFiles[segment] as number] as number)) {
      left -= fileRecords[segmentFiles[segment++] as number] as number;
    }
    const before = this.#isSmall(segment) ? 0 : this.#recordsBefore(index);
    return { path: this.#path(segmentFiles[segment] as number), line: before + left + 1 };
  }

  /** Records `[from, to)` of a chunk as runs of lines, counted from 1, one for each file that holds some of them. */
  linesBetween(index: number, from: number, to: number): { path: string; line: number; lineLast: number }[] {
    const { chunkRecords, segmentStarts, segmentFiles, fileRecords } = this.#table;
    const runs: { path: string; line: number; lineLast: number }[] = [];
    let [record, segment] = [from, segmentStarts[index] as number];
    let end = this.#isSmall(segment) ? 0 : (chunkRecords[index] as number);
    for (; record < Math.min(to, chunkRecords[index] as number); record = end) {
      while (end <= record) end += fileRecords[segmentFiles[segment++] as number] as number;
      const { path, line } = this.line(index, record);
      runs.push({ path, line, lineLast: line + Math.min(end, to) - record - 1 });
    }
    return runs;
  }

  /** The first chunk with this digest. */
  indexOf(digest: Digest): number | undefined {
    this.#chunkOfDigest ??= this.#indexDigests();
    return this.#chunkOfDigest.get(digest);
  }

  /** Chunk and record of line `line` (from 1) of a file. */
  recordAt(path: string, line: number): { chunk: number; record: number } | undefined {
    const file = this.#file(path);
    if (file === undefined || line < 1) return undefined;
    return hasFlag(this.#table, file, 'small') ? this.#smallRecord(file, line - 1) : this.#bigRecord(file, line - 1);
  }

  /** Lines of the file at this absolute path; undefined if it is none of the sources. */
  linesOf(path: string): number | undefined {
    const file = this.#file(path);
    return file === undefined ? undefined : this.#lines(file, chunkRanges(this.#table));
  }

  /** All files, in order. */
  *files(): Generator<SourceFile> {
    const ranges = chunkRanges(this.#table);
    for (const [file, path] of this.paths().entries())
      yield { path, lines: this.#lines(file, ranges), bytes: Number(this.#table.sizes[file]) };
  }

  /** Absolute paths of all files. */
  paths(): readonly string[] {
    this.#paths ??= absolutePathsOf(this.#table);
    return this.#paths;
  }

  /** What the file at this absolute path was when it was read. */
  identity(path: string): FileIdentity | undefined {
    const file = this.#file(path);
    return file === undefined ? undefined : identityRow(this.#table, file);
  }

  #lines(file: number, ranges: ReturnType<typeof chunkRanges>): number {
    if (hasFlag(this.#table, file, 'small')) return this.#table.fileRecords[file] as number;
    const { from, to } = ranges.get(file) ?? { from: 0, to: 0 };
    return this.#table.chunkRecords.subarray(from, to).reduce((sum, records) => sum + records, 0);
  }

  #check(index: number): void {
    if (!(index >= 0 && index < chunkCount(this.#table))) throw new RangeError(`there is no chunk ${index}`);
  }

  #digest(index: number): Digest {
    return Buffer.from(digestRow(this.#table.chunkDigests, index)).toString('hex');
  }

  #segment(index: number): Segment {
    const file = this.#table.segmentFiles[index] as number;
    return {
      path: this.#path(file),
      offset: this.#table.segmentOffsets[index] as number,
      length: this.#table.segmentBytes[index] as number,
      addNewline: hasFlag(this.#table, file, 'addNewline'),
    };
  }

  #path(file: number): string {
    this.#paths ??= absolutePathsOf(this.#table);
    return this.#paths[file] as string;
  }

  #file(path: string): number | undefined {
    this.#paths ??= absolutePathsOf(this.#table);
    this.#fileOfPath ??= new Map(this.#paths.map((known, file) => [known, file]));
    return this.#fileOfPath.get(path);
  }

  #isSmall(segment: number): boolean {
    return hasFlag(this.#table, this.#table.segmentFiles[segment] as number, 'small');
  }

  /** Records of the file's chunks before this one. */
  #recordsBefore(index: number): number {
    const { segmentStarts, segmentOffsets, chunkRecords } = this.#table;
    let records = 0;
    for (let chunk = index; segmentOffsets[segmentStarts[chunk] as number] !== 0; chunk--) records += chunkRecords[chunk - 1] as number;
    return records;
  }

  #indexDigests(): Map<Digest, number> {
    const map = new Map<Digest, number>();
    for (let index = chunkCount(this.#table) - 1; index >= 0; index--) map.set(this.#digest(index), index);
    return map;
  }

  #bigRecord(file: number, record: number): { chunk: number; record: number } | undefined {
    const range = chunkRanges(this.#table).get(file);
    let left = record;
    for (let chunk = range?.from ?? 0; chunk < (range?.to ?? 0); chunk++) {
      const records = this.#table.chunkRecords[chunk] as number;
      if (left < records) return { chunk, record: left };
      left -= records;
    }
    return undefined;
  }

  #smallRecord(file: number, record: number): { chunk: number; record: number } | undefined {
    const { segmentStarts, segmentFiles, fileRecords } = this.#table;
    const segment = segmentFiles.indexOf(file);
    if (segment < 0 || record >= (fileRecords[file] as number)) return undefined;
    let chunk = 0;
    while ((segmentStarts[chunk + 1] as number) <= segment) chunk++;
    const earlier = segmentFiles.subarray(segmentStarts[chunk], segment);
    return { chunk, record: earlier.reduce((sum, other) => sum + (fileRecords[other] as number), record) };
  }
}
