import type { PackedRows } from '../pack.ts';
import { type LabelOptions, labelsOf } from '../pack-labels.ts';

/** Values as runs of equal ones: `values[r]`, `lengths[r]` times; no run is empty. */
export interface Runs {
  readonly values: Int32Array;
  readonly lengths: Uint32Array;
}

/** What a column is made from. */
export interface LabelledRows extends PackedRows, LabelOptions {}

/** One column of a training file: a list of `maxSeqLength` int32 in each row. */
export interface PackedColumn {
  readonly name: string;
  /** One value for each of `ids`, as an array or, where most neighbours are equal, as runs. */
  values(rows: LabelledRows): Int32Array | Runs;
}

/** The columns of every training file, in their order. */
export const packedColumns: readonly PackedColumn[] = [
  { name: 'input_ids', values: (rows) => rows.ids },
  { name: 'attention_mask', values: attentionRuns },
  { name: 'labels', values: (rows) => labelsOf(rows, rows) },
];

/** Columns that are written where they are asked for, behind the others, in this order. */
export const extraColumnNames = ['position_ids', 'document_ids'] as const;
export type ExtraColumn = (typeof extraColumnNames)[number];

const extraColumns: Readonly<Record<ExtraColumn, PackedColumn['values']>> = { position_ids: positionsOf, document_ids: documentRuns };

/** All columns of a file that has `extra` ones. */
export function columnsWith(extra: readonly ExtraColumn[]): readonly PackedColumn[] {
  const asked = extraColumnNames.filter((name) => extra.includes(name));
  return [...packedColumns, ...asked.map((name) => ({ name, values: extraColumns[name] }))];
}

/** Collects runs of given lengths; neighbours of one value become one run. */
class RunList {
  readonly #values: Int32Array;
  readonly #lengths: Uint32Array;
  #count = 0;

  constructor(runsMax: number) {
    this.#values = new Int32Array(runsMax);
    this.#lengths = new Uint32Array(runsMax);
  }

  add(value: number, length: number): void {
    if (length === 0) return;
    if (this.#count === 0 || this.#values[this.#count - 1] !== value) this.#values[this.#count++] = value;
    this.#lengths[this.#count - 1] = (this.#lengths[this.#count - 1] as number) + length;
  }

  runs(): Runs {
    return { values: this.#values.subarray(0, this.#count), lengths: this.#lengths.subarray(0, this.#count) };
  }
}

/** 1 on tokens, 0 on padding. */
function attentionRuns({ rows, maxSeqLength, realLengths }: LabelledRows): Runs {
  const list = new RunList(2 * rows);
  for (let row = 0; row < rows; row++) {
    list.add(1, realLengths[row] as number);
    list.add(0, maxSeqLength - (realLengths[row] as number));
  }
  return list.runs();
}

/** 1 on the first document of a row, 2 on the second and so on, 0 on padding. */
function documentRuns({ rows, maxSeqLength, realLengths, spans }: LabelledRows): Runs {
  const list = new RunList(rows + spans.at.length);
  for (let row = 0, i = 0; row < rows; row++) {
    const end = (row + 1) * maxSeqLength;
    for (let number = 1; i < spans.at.length && (spans.at[i] as number) < end; i++, number++) list.add(number, spans.lengths[i] as number);
    list.add(0, maxSeqLength - (realLengths[row] as number));
  }
  return list.runs();
}

/**
 * 0, 1, 2 ... from the beginning of each document in a row, and of its padding. A document that goes on in another row begins there with
 * 0 again: trainers that take the ends of documents from positions (flash attention's varlen kernels) look for zeros, and what stands
 * before the first zero of a row would belong to no sequence.
 */
function positionsOf({ rows, maxSeqLength, ids, realLengths, spans }: LabelledRows): Int32Array {
  const positions = new Int32Array(ids.length);
  const count = (from: number, to: number): void => {
    for (let at = from; at < to; at++) positions[at] = at - from;
  };
  for (let i = 0; i < spans.at.length; i++) count(spans.at[i] as number, (spans.at[i] as number) + (spans.lengths[i] as number));
  for (let row = 0; row < rows; row++) count(row * maxSeqLength + (realLengths[row] as number), (row + 1) * maxSeqLength);
  return positions;
}
