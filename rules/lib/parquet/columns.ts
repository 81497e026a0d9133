import { type LabelOptions, labelsOf, type PackedRows } from '../pack.ts';

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

/** 1 on tokens, 0 on padding. */
function attentionRuns({ rows, maxSeqLength, realLengths }: LabelledRows): Runs {
  const values = new Int32Array(2 * rows);
  const lengths = new Uint32Array(2 * rows);
  let runs = 0;
  const add = (value: number, length: number): void => {
    if (length === 0) return;
    if (runs === 0 || values[runs - 1] !== value) values[runs++] = value;
    lengths[runs - 1] = (lengths[runs - 1] as number) + length;
  };
  for (let row = 0; row < rows; row++) {
    add(1, realLengths[row] as number);
    add(0, maxSeqLength - (realLengths[row] as number));
  }
  return { values: values.subarray(0, runs), lengths: lengths.subarray(0, runs) };
}
