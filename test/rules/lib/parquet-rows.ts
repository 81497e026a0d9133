/** Rows for the Parquet tests, and the columns that a reader must find in them. */
import type { PackedRows, Spans } from '../../../rules/lib/pack.ts';
import { type LabelOptions, labelsOf } from '../../../rules/lib/pack-labels.ts';
import { type PageCodec, pageCodec } from '../../../rules/lib/parquet/codecs.ts';
import { columnsWith, type ExtraColumn } from '../../../rules/lib/parquet/columns.ts';
import type { Codec } from '../../../rules/lib/parquet/format.ts';
import { encodeRowGroupPart } from '../../../rules/lib/parquet/part.ts';
import { encodeRowGroup } from '../../../rules/lib/parquet/rowgroup.ts';
import { writeShard } from '../../../rules/lib/parquet/shard.ts';

export type Columns = Readonly<Record<string, Int32Array>>;

export const shifted: LabelOptions = { labels: 'shifted', acrossDocuments: true };
export const codecNames: readonly Codec[] = ['snappy', 'zstd', 'none'];
export const codecs: Readonly<Record<Codec, PageCodec>> = {
  none: await pageCodec('none'),
  snappy: await pageCodec('snappy'),
  zstd: await pageCodec('zstd'),
};

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
  const isReal = (i: number): boolean => i % maxSeqLength < maxSeqLength - padding;
  const begins = (i: number): boolean => isReal(i) && (i % maxSeqLength === 0 || ids[i - 1] === 0);
  const at = Uint32Array.from(ids.keys()).filter(begins);
  const endOfRow = (i: number): number => (Math.floor(i / maxSeqLength) + 1) * maxSeqLength - padding;
  const lengths = at.map((start, i) => Math.min(at[i + 1] ?? ids.length, endOfRow(start)) - start);
  const spans: Spans = { at, lengths, samples: at.map((_, i) => i), starts: at.map(() => 0) };
  return { rows, maxSeqLength, ids, realLengths, spans, eosId: 0 };
}

/** Options of what is written. */
export interface Written extends LabelOptions {
  readonly extra?: readonly ExtraColumn[];
}

/** Which span of its row each token is in, counted from 1, and how far it is from its beginning; padding is a span 0. */
function placesOf({ ids, maxSeqLength, realLengths, spans }: PackedRows): { document: number; position: number }[] {
  const starts = new Set(spans.at);
  const places: { document: number; position: number }[] = [];
  for (let i = 0; i < ids.length; i++) {
    const column = i % maxSeqLength;
    const padded = realLengths[Math.floor(i / maxSeqLength)] as number;
    const before = column === 0 ? { document: 0, position: -1 } : (places[i - 1] as { document: number; position: number });
    if (column >= padded) places.push({ document: 0, position: column - padded });
    else places.push(starts.has(i) ? { document: before.document + 1, position: 0 } : { ...before, position: before.position + 1 });
  }
  return places;
}

/** The columns value by value, from the specification. */
export function columnsOf(groups: readonly PackedRows[], { extra = [], ...options }: Written = shifted): Columns {
  const mask = ({ ids, maxSeqLength, realLengths }: PackedRows): number[] =>
    Array.from(ids, (_, i) => (i % maxSeqLength < (realLengths[Math.floor(i / maxSeqLength)] as number) ? 1 : 0));
  const all = (values: (group: PackedRows) => Iterable<number>): Int32Array =>
    Int32Array.from(groups.flatMap((group) => [...values(group)]));
  return {
    input_ids: all((group) => group.ids),
    attention_mask: all(mask),
    labels: all((group) => labelsOf(group, options)),
    ...(extra.includes('position_ids') && { position_ids: all((group) => placesOf(group).map(({ position }) => position)) }),
    ...(extra.includes('document_ids') && { document_ids: all((group) => placesOf(group).map(({ document }) => document)) }),
  };
}

export function partOf(group: PackedRows, options: Partial<Written & { codec: Codec }> = {}): Uint8Array {
  const { extra = [], codec = 'snappy', ...labels } = options;
  return encodeRowGroupPart(encodeRowGroup({ ...group, ...shifted, ...labels, codec: codecs[codec], columns: columnsWith(extra) }));
}

/** A whole file. */
export function fileOf(parts: readonly Uint8Array[], keyValues: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  writeShard(parts, (bytes) => void pieces.push(bytes), { keyValues });
  return new Uint8Array(Buffer.concat(pieces));
}
