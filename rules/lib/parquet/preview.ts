import { ShardReader } from './read-shard.ts';

type Row = Readonly<Record<string, readonly number[]>>;

/**
 * Rows of a shard one by one, a list of numbers for each column.
 *
 * @param only numbers of the rows, rising; without it all. Row groups that none of them lies in are not read.
 * Memory: one row group.
 */
export async function* shardRows(path: string, only?: readonly number[]): AsyncGenerator<Row> {
  const reader = new ShardReader(path);
  try {
    let first = 0;
    for (const group of reader.groups) {
      const end = first + group.rows;
      const wanted = only ? only.filter((row) => row >= first && row < end) : Array.from({ length: group.rows }, (_, i) => first + i);
      if (wanted.length > 0)
        yield* rowsOf(
          reader,
          group,
          wanted.map((row) => row - first),
        );
      first = end;
    }
  } finally {
    reader.close();
  }
}

async function* rowsOf(reader: ShardReader, group: ShardReader['groups'][number], rows: readonly number[]): AsyncGenerator<Row> {
  const columns: [string, Int32Array][] = [];
  for (const { name } of group.columns) columns.push([name, await reader.column(group, name)]);
  for (const row of rows) {
    yield Object.fromEntries(
      columns.map(([name, values]) => {
        const length = values.length / group.rows;
        return [name, Array.from(values.subarray(row * length, (row + 1) * length))];
      }),
    );
  }
}
