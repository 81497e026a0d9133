import { createRequire } from 'node:module';

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
  const { ParquetReader } = createRequire(import.meta.url)('@dsnp/parquetjs') as typeof import('@dsnp/parquetjs');
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
