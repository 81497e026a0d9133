/** Rows for the Parquet tests, and the columns that a reader must find in them. */
import { type LabelOptions, labelsOf, type PackedRows } from '../../../rules/lib/pack.ts';
import type { Codec } from '../../../rules/lib/parquet/format.ts';
import { encodeRowGroupPart } from '../../../rules/lib/parquet/part.ts';
import { encodeRowGroup } from '../../../rules/lib/parquet/rowgroup.ts';
import { writeShard } from '../../../rules/lib/parquet/shard.ts';

export type Columns = Record<'input_ids' | 'attention_mask' | 'labels', Int32Array>;

export const shifted: LabelOptions = { labels: 'shifted', acrossDocuments: true };

/** Numbers that look random and are the same everywhere (xorshift). */
export function randomIds(count: number, { seed, below }: { seed: number; below: number }): Int32Array {
  let state = seed;
  return Int32Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  });
}

/** Rows from ids, the last `padding` tokens of each row being padding; documents end wherever the id is 0. */
export function rowsOf(ids: Int32Array, { maxSeqLength, padding = 0 }: { maxSeqLength: number; padding?: number }): PackedRows {
  const rows = ids.length / maxSeqLength;
  const realLengths = new Uint32Array(rows).fill(maxSeqLength - padding);
  const documentEnds = Uint32Array.from(ids.keys()).filter((i) => ids[i] === 0 && i % maxSeqLength < maxSeqLength - padding);
  return { rows, maxSeqLength, ids, realLengths, documentEnds };
}

/** The columns value by value, from the specification. */
export function columnsOf(groups: readonly PackedRows[], options: LabelOptions = shifted): Columns {
  const mask = ({ ids, maxSeqLength, realLengths }: PackedRows): number[] =>
    Array.from(ids, (_, i) => (i % maxSeqLength < (realLengths[Math.floor(i / maxSeqLength)] as number) ? 1 : 0));
  return {
    input_ids: Int32Array.from(groups.flatMap((group) => Array.from(group.ids))),
    attention_mask: Int32Array.from(groups.flatMap(mask)),
    labels: Int32Array.from(groups.flatMap((group) => Array.from(labelsOf(group, options)))),
  };
}

export function partOf(group: PackedRows, options: Partial<LabelOptions & { codec: Codec }> = {}): Uint8Array {
  return encodeRowGroupPart(encodeRowGroup({ ...group, ...shifted, codec: 'snappy', ...options }));
}

/** A whole file. */
export function fileOf(parts: readonly Uint8Array[], keyValues: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  writeShard(parts, (bytes) => void pieces.push(bytes), { keyValues });
  return new Uint8Array(Buffer.concat(pieces));
}
