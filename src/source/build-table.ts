import type { FileIdentity } from '../base/files.ts';
import { type ChunkColumns, chunkDigest, chunkStart, digestBytesLength } from './chunks.ts';
import type { SourceSpec } from './list.ts';
import { completedBytes, type SharedChunk, type SmallFile, smallFileU } from './small.ts';
import { fileFlags, listDigestOf, packTexts, type SourceTable } from './table.ts';

/** A file as it was listed. */
export interface ListedFile {
  /** Its place in the table. */
  readonly index: number;
  readonly source: number;
  readonly group: number;
  /** Relative to the source's base folder. */
  readonly path: string;
  readonly absolutePath: string;
}

/** What a file held when it was read: its chunks, or what makes it a record of a shared one. */
export type FileContent = { readonly racy: boolean; readonly identity: FileIdentity } & (
  | { readonly chunks: ChunkColumns }
  | { readonly small: SmallFile }
);

export interface NamedSmallFile extends SmallFile {
  readonly file: ListedFile;
}

/** Gathers a table's columns: files first, in order, then chunks, in order. */
export class TableBuilder {
  readonly #specs: readonly SourceSpec[];
  readonly #groups: readonly string[];
  readonly #files: readonly ListedFile[];
  readonly #contents: readonly FileContent[];
  readonly #chunks = { groups: [] as number[], bytes: [] as number[], records: [] as number[], us: [] as number[] };
  readonly #verify = { xxh64s: [] as bigint[], decidedAts: [] as number[] };
  readonly #chunkDigests: Uint8Array[] = [];
  readonly #segments = { starts: [0], files: [] as number[], offsets: [] as number[], bytes: [] as number[] };

  constructor(
    specs: readonly SourceSpec[],
    groups: readonly string[],
    files: { listed: readonly ListedFile[]; contents: readonly FileContent[] },
  ) {
    this.#specs = specs;
    this.#groups = groups;
    this.#files = files.listed;
    this.#contents = files.contents;
  }

  addChunksOf(file: ListedFile, chunks: ChunkColumns): void {
    chunks.ends.forEach((end, i) => {
      const offset = chunkStart(chunks, i);
      this.#segment(file.index, offset, end - offset);
      this.#verify.xxh64s.push(chunks.xxh64s[i] as bigint);
      this.#verify.decidedAts.push(chunks.decidedAts[i] as number);
      this.#chunk(file.group, {
        bytes: end - offset,
        records: chunks.records[i] as number,
        u: chunks.us[i] as number,
        digest: chunkDigest(chunks, i),
      });
    });
  }

  addShared({ files, digest }: SharedChunk<NamedSmallFile>): void {
    const last = files.at(-1) as NamedSmallFile;
    for (const small of files) this.#segment(small.file.index, 0, Number(small.identity.size));
    this.#verify.xxh64s.push(0n);
    this.#verify.decidedAts.push(0);
    this.#chunk(last.file.group, {
      bytes: files.reduce((sum, small) => sum + completedBytes(small), 0),
      records: files.reduce((sum, small) => sum + small.records, 0),
      u: smallFileU(last),
      digest,
    });
  }

  build(): SourceTable {
    const columns = { ...this.#fileColumns(), ...this.#chunkColumns() };
    return {
      ...columns,
      groups: packTexts(this.#groups),
      specs: Buffer.from(JSON.stringify(this.#specs)),
      listDigest: listDigestOf(columns, this.#groups),
    };
  }

  #segment(file: number, offset: number, bytes: number): void {
    this.#segments.files.push(file);
    this.#segments.offsets.push(offset);
    this.#segments.bytes.push(bytes);
  }

  #chunk(group: number, facts: { bytes: number; records: number; u: number; digest: Uint8Array }): void {
    this.#chunks.groups.push(group);
    this.#chunks.bytes.push(facts.bytes);
    this.#chunks.records.push(facts.records);
    this.#chunks.us.push(facts.u);
    this.#chunkDigests.push(facts.digest);
    this.#segments.starts.push(this.#segments.files.length);
  }

  #fileColumns() {
    const files = this.#files;
    const contents = this.#contents;
    const identity = (name: keyof FileIdentity): BigInt64Array => BigInt64Array.from(contents, (content) => content.identity[name]);
    return {
      fileSources: Uint32Array.from(files, (file) => file.source),
      fileGroups: Uint32Array.from(files, (file) => file.group),
      fileFlags: Uint8Array.from(contents, flagsOf),
      devs: identity('dev'),
      inos: identity('ino'),
      sizes: identity('size'),
      mtimesNs: identity('mtimeNs'),
      ctimesNs: identity('ctimeNs'),
      fileRecords: Float64Array.from(contents, (content) => ('small' in content ? content.small.records : 0)),
      fileDigests: joinDigests(contents.map((content) => ('small' in content ? content.small.digest : undefined))),
      paths: packTexts(files.map((file) => file.path)),
    };
  }

  #chunkColumns() {
    return {
      chunkGroups: Uint32Array.from(this.#chunks.groups),
      chunkBytes: Float64Array.from(this.#chunks.bytes),
      chunkRecords: Float64Array.from(this.#chunks.records),
      chunkUs: Uint32Array.from(this.#chunks.us),
      chunkDigests: joinDigests(this.#chunkDigests),
      chunkXxh64s: BigUint64Array.from(this.#verify.xxh64s),
      chunkDecidedAts: Float64Array.from(this.#verify.decidedAts),
      segmentStarts: Uint32Array.from(this.#segments.starts),
      segmentFiles: Uint32Array.from(this.#segments.files),
      segmentOffsets: Float64Array.from(this.#segments.offsets),
      segmentBytes: Float64Array.from(this.#segments.bytes),
    };
  }
}

function flagsOf(content: FileContent): number {
  const racy = content.racy ? fileFlags.racy : 0;
  if (!('small' in content)) return racy;
  return racy | fileFlags.small | (content.small.addNewline ? fileFlags.addNewline : 0);
}

function joinDigests(digests: readonly (Uint8Array | undefined)[]): Uint8Array {
  const joined = new Uint8Array(digests.length * digestBytesLength);
  digests.forEach((digest, i) => {
    if (digest) joined.set(digest, i * digestBytesLength);
  });
  return joined;
}
