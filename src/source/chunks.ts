/** Bytes of a BLAKE3 digest. */
export const digestBytesLength = 32;

/**
 * The chunks of one file as columns, in order and without gaps: chunk i is `[ends[i - 1] or 0, ends[i])`. Plain typed arrays, so that they
 * can be sent to a worker and back.
 */
export interface ChunkColumns {
  readonly ends: Float64Array;
  /** Records in each chunk. */
  readonly records: Float64Array;
  readonly xxh64s: BigUint64Array;
  /** 32 bytes each. */
  readonly digests: Uint8Array;
  /** Hash of each chunk's last record. */
  readonly us: Uint32Array;
  /** The end of the last record that the cut rule had looked at when it decided the chunk's end. */
  readonly decidedAts: Float64Array;
}

export interface ChunkRow {
  readonly end: number;
  readonly records: number;
  readonly xxh64: bigint;
  readonly digest: Uint8Array;
  readonly u: number;
  readonly decidedAt: number;
}

export const chunkStart = (chunks: ChunkColumns, index: number): number => (index === 0 ? 0 : (chunks.ends[index - 1] as number));

export const chunkDigest = (chunks: ChunkColumns, index: number): Uint8Array =>
  chunks.digests.subarray(index * digestBytesLength, (index + 1) * digestBytesLength);

/** Row `index`, moved by `shift` bytes. */
export function chunkRow(chunks: ChunkColumns, index: number, shift: number): ChunkRow {
  return {
    end: (chunks.ends[index] as number) + shift,
    records: chunks.records[index] as number,
    xxh64: chunks.xxh64s[index] as bigint,
    digest: chunkDigest(chunks, index),
    u: chunks.us[index] as number,
    decidedAt: (chunks.decidedAts[index] as number) + shift,
  };
}

export function chunkColumns(rows: readonly ChunkRow[]): ChunkColumns {
  const digests = new Uint8Array(rows.length * digestBytesLength);
  rows.forEach((row, i) => {
    digests.set(row.digest, i * digestBytesLength);
  });
  return {
    ends: Float64Array.from(rows, (row) => row.end),
    records: Float64Array.from(rows, (row) => row.records),
    xxh64s: BigUint64Array.from(rows, (row) => row.xxh64),
    digests,
    us: Uint32Array.from(rows, (row) => row.u),
    decidedAts: Float64Array.from(rows, (row) => row.decidedAt),
  };
}
