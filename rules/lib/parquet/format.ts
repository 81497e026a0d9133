/*
 * Numbers of the Parquet format that packed rows need.
 * Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
export const encodings = { plain: 0, rle: 3, rleDictionary: 8 } as const;
export const pageTypes = { data: 0, dictionary: 2 } as const;
export const codecIds = { none: 0, snappy: 1, zstd: 6 } as const;
export const physicalTypes = { int32: 1 } as const;
export const repetitions = { optional: 1, repeated: 2 } as const;
export const convertedTypes = { list: 3 } as const;
/** The first and the last bytes of every file. */
export const fileMagic = 'PAR1';

export type Codec = keyof typeof codecIds;

/** What the footer needs to know of one column's bytes in a row group; offsets are relative to the row group's first byte. */
export interface ColumnMeta {
  readonly name: string;
  readonly codec: Codec;
  readonly encodings: readonly number[];
  readonly values: number;
  /** Pages with their headers, before and after compression. */
  readonly bytesUncompressed: number;
  readonly bytesCompressed: number;
  readonly dataPageOffset: number;
  readonly dictionaryPageOffset: number | null;
  readonly min: number;
  readonly max: number;
}

/** What the footer needs to know of one row group; plain data that survives JSON. */
export interface RowGroupMeta {
  readonly rows: number;
  readonly bytes: number;
  readonly columns: readonly ColumnMeta[];
  /** What the footer of a file that holds it is to say; all groups of a file must say the same. */
  readonly keyValues?: Readonly<Record<string, string>>;
}
