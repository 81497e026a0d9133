import { createRequire } from 'node:module';
import { loadZstd } from '../zstd.ts';

const require = createRequire(import.meta.url);

/** How @dsnp/parquetjs decompresses pages, by codec. It is no part of what the package exports by name. */
type Methods = Record<string, { inflate(bytes: Uint8Array): Uint8Array }>;

/** The reader knows no zstd, but looks its codecs up in an object that can be added to. */
async function addZstd(): Promise<void> {
  const { PARQUET_COMPRESSION_METHODS: methods } = require('@dsnp/parquetjs/dist/lib/compression.js') as {
    PARQUET_COMPRESSION_METHODS: Methods;
  };
  const { decompress } = await loadZstd();
  methods['ZSTD'] ??= { inflate: (bytes) => Buffer.from(decompress(bytes)) };
}

/** A list column as @dsnp/parquetjs gives it. */
interface ListValue {
  readonly list: readonly { readonly element: number }[];
}

const flat = (value: unknown): unknown => {
  const { list } = (value ?? {}) as Partial<ListValue>;
  return Array.isArray(list) ? list.map(({ element }) => element) : value;
};

/** The rows of a Parquet file one by one, lists as plain arrays. Memory: one row group. */
export async function* parquetRows(path: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
  await addZstd();
  const { ParquetReader } = require('@dsnp/parquetjs') as typeof import('@dsnp/parquetjs');
  const reader = await ParquetReader.openFile(path);
  try {
    const cursor = reader.getCursor();
    for (
      let row = (await cursor.next()) as Record<string, unknown> | null;
      row;
      row = (await cursor.next()) as Record<string, unknown> | null
    ) {
      yield Object.fromEntries(Object.entries(row).map(([name, value]) => [name, flat(value)]));
    }
  } finally {
    await reader.close();
  }
}
