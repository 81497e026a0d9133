import type { Digest } from '../base/digest.ts';
import { readPartIfThere } from '../cache/part-reader.ts';
import type { Store } from '../cache/store.ts';
import { type Form, forms } from '../rule/part.ts';
import { decodeColumns, encodeColumns } from '../source/columns.ts';

/** Raised when the columns or their meaning change. An older table is made again when it is asked for. */
const format = 'dsbuild lineage 2';

/** What there is once a table. */
export interface LineageAbout {
  /** Collections that the plan read, in the order of its inputs: digest and number of parts. */
  readonly inputs: readonly { readonly digest: Digest; readonly parts: number }[];
  /** Chunks of local sources, and the digest of their list. */
  readonly chunks: number;
  readonly list: Digest;
  /** Names of the target's outputs, each a column of `outputs`. */
  readonly outputs: readonly string[];
  readonly stepNames: readonly string[];
  /** Names of side outputs. */
  readonly sideNames: readonly string[];
}

/**
 * Where the parts of a target's outputs come from: the steps of its plan that lead to them, in columns, about 90 bytes a step.
 *
 * A part is named by a number. First come the parts of the input collections, one collection after another; then the chunks of local sources
 * in the order of their table; then other files that steps read; then what the steps made, step after step. Of a step's inputs only the
 * first is held, whose rows its lineage speaks of. Of steps whose parts have no rows (statistics, a table of contents) there are only the
 * digests of what they made: so the table names all bytes that the target holds, for those who collect what nobody uses.
 */
export interface LineageTable {
  readonly about: LineageAbout;
  /** Of each step: its name, and where its inputs, and the parts that it made, end. */
  readonly steps: Uint8Array;
  readonly inputEnds: Uint32Array;
  readonly partEnds: Uint32Array;
  /** Parts that steps read, by number. */
  readonly inputs: Uint32Array;
  /** Of each part that a step made: */
  readonly partDigests: Uint8Array;
  readonly partForms: Uint8Array;
  readonly partRows: Uint32Array;
  /** Of each side part: the step that left it, its name, its digest. In the order of steps. */
  readonly sideSteps: Uint32Array;
  readonly sides: Uint8Array;
  readonly sideDigests: Uint8Array;
  /** Of each other file: */
  readonly fileDigests: Uint8Array;
  /** What no row leads to, but is held for the sake of this target: memos, statistics, files that options name. */
  readonly otherDigests: Uint8Array;
  /** Of each part of each output: its number, or `noPart`. */
  readonly outputs: readonly Uint32Array[];
}

/** Stands in `outputs` for a part that has no rows, or whose making is not known. */
export const noPart = 0xffffffff;

/** What `partForms` holds: the form's place in `forms`, and a bit for parts of the step's first output. */
const mainBit = 0x80;
export const formByte = (form: Form, isMain: boolean): number => forms.indexOf(form) | (isMain ? mainBit : 0);
export const formAt = (table: LineageTable, made: number): Form => forms[(table.partForms[made] as number) & ~mainBit] as Form;
export const isMainAt = (table: LineageTable, made: number): boolean => ((table.partForms[made] as number) & mainBit) !== 0;

export const digestAt = (digests: Uint8Array, index: number): Digest =>
  Buffer.from(digests.buffer, digests.byteOffset + index * 32, 32).toString('hex');

/** Digests of all that the target's steps made, and of what the store keeps for them besides. */
export function* heldDigests({ partDigests, sideDigests, otherDigests }: LineageTable): Generator<Digest> {
  for (const column of [partDigests, sideDigests, otherDigests]) {
    for (let i = 0; i < column.length / 32; i++) yield digestAt(column, i);
  }
}

/** Digests as they come, in one block that grows. */
export class DigestColumn {
  #bytes = Buffer.alloc(1 << 10);
  count = 0;

  push(digest: Digest): number {
    if ((this.count + 1) * 32 > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    this.#bytes.write(digest, this.count * 32, 'hex');
    return this.count++;
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.count * 32));
  }
}

const outputColumn = (i: number): string => `output ${i}`;

export function encodeLineageTable({ about, outputs, ...columns }: LineageTable): Uint8Array {
  const text = Buffer.from(JSON.stringify(about));
  const parts = Object.fromEntries(outputs.map((column, i) => [outputColumn(i), column]));
  return encodeColumns(format, { about: new Uint8Array(text), ...columns, ...parts });
}

const columnNames = [
  'steps',
  'inputEnds',
  'partEnds',
  'inputs',
  'partDigests',
  'partForms',
  'partRows',
  'sideSteps',
  'sides',
  'sideDigests',
  'fileDigests',
  'otherDigests',
] as const;

/** The table as views of `bytes`; undefined if they are damaged, or of another version. */
export function decodeLineageTable(bytes: Uint8Array<ArrayBuffer>): LineageTable | undefined {
  const found = decodeColumns(format, bytes);
  if (!found) return undefined;
  const about = JSON.parse(Buffer.from(found['about'] as Uint8Array).toString('utf8')) as LineageAbout;
  const columns = Object.fromEntries(columnNames.map((name) => [name, found[name]]));
  const outputs = about.outputs.map((_, i) => found[outputColumn(i)] as Uint32Array);
  return { ...(columns as unknown as LineageTable), about, outputs };
}

/** The table from the store, if it is there and whole. */
export function readLineageTable(store: Store, digest: Digest): LineageTable | undefined {
  const bytes = readPartIfThere(digest, store.locate(digest));
  // Its columns are views of a buffer that begins with it.
  return bytes && decodeLineageTable(new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length));
}
