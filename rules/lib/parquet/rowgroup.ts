import { BuildError } from '../../../src/base/errors.ts';
import { ByteSink } from './bytes.ts';
import { ChunkWriter } from './chunk.ts';
import type { PageCodec } from './codecs.ts';
import { type LabelledRows, type PackedColumn, packedColumns } from './columns.ts';
import type { RowGroupMeta } from './format.ts';

/** A page's size is a signed 32-bit number of bytes, and a page holds at least one row. */
const maxSeqLengthMax = 1 << 28;

export interface RowGroupInput extends LabelledRows {
  readonly codec: PageCodec;
  /** The columns to write, if not `packedColumns`. */
  readonly columns?: readonly PackedColumn[];
  /** See `RowGroupMeta`. */
  readonly keyValues?: Readonly<Record<string, string>>;
}

/**
 * Encodes packed rows as one Parquet row group: each column a list of `maxSeqLength` int32 in every row.
 *
 * @returns the row group's bytes, and the meta that `shardFooter` needs. No rows give no bytes and no columns; the footer leaves such
 * a group out.
 * @throws {BuildError} `bad-params` when the arrays do not fit `rows` and `maxSeqLength`.
 *
 * Cost: O(tokens); about 25 ns a token with Snappy for the three columns.
 */
export function encodeRowGroup(input: RowGroupInput): { bytes: Uint8Array<ArrayBuffer>; meta: RowGroupMeta } {
  checkShape(input);
  const { rows, maxSeqLength, codec, columns = packedColumns, keyValues } = input;
  const out = new ByteSink(4096 + 3 * input.ids.length);
  const writer = new ChunkWriter(out, codec);
  const metas = rows === 0 ? [] : columns.map(({ name, values }) => writer.write(values(input), { name, rows, maxSeqLength }));
  return { bytes: out.view(), meta: { rows, bytes: out.length, columns: metas, ...(keyValues && { keyValues }) } };
}

function checkShape({ rows, maxSeqLength, ids, realLengths }: RowGroupInput): void {
  const fits = ids.length === rows * maxSeqLength && realLengths.length === rows;
  if (!fits || !(maxSeqLength >= 1 && maxSeqLength <= maxSeqLengthMax)) {
    throw new BuildError('bad-params', {
      message: `${ids.length} ids and ${realLengths.length} lengths are not ${rows} rows of ${maxSeqLength} tokens`,
      hint: `A row has 1 to ${maxSeqLengthMax} tokens.`,
    });
  }
}
