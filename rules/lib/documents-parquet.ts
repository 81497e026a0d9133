import type { FieldDefinition, ParquetSchema, ParquetWriter, SchemaDefinition } from '@dsnp/parquetjs';
import { byCodeUnit } from '../../src/base/names.ts';
import type { DocumentRow } from '../../src/rule/documents.ts';
import { writtenFields } from './document-fields.ts';

const MiB = 1024 * 1024;
const rowGroupBytes = 64 * MiB;
const pageBytes = MiB;

/** Libraries whose version shapes the bytes. */
export const parquetUses: readonly string[] = ['@dsnp/parquetjs@1.8.8', 'snappyjs@0.7.0'];

/** Columns that hold text as it is; all others hold JSON. */
const textColumns: ReadonlySet<string> = new Set(['id', 'text', 'source', 'category']);
const requiredColumns: ReadonlySet<string> = new Set(['id', 'text']);
const columnsFirst = ['id', 'text', 'source', 'category', 'metadata'];

/** The columns of documents that have these fields: the known ones first, then the others by code unit. */
export function columnsOf(fields: ReadonlySet<string>): string[] {
  const known = columnsFirst.filter((name) => requiredColumns.has(name) || fields.has(name));
  return [...known, ...[...fields].filter((name) => !columnsFirst.includes(name)).sort(byCodeUnit)];
}

/** One value, or null where the document has none. */
function cellOf(column: string, json: string | undefined): string | null {
  if (json === undefined || json === 'null') return null;
  if (!textColumns.has(column)) return json;
  if (json.startsWith('"')) return JSON.parse(json) as string;
  // Digits stay as they are, because a number of JavaScript can not hold all of them.
  return column !== 'id' || /^-?\d+$/.test(json) ? json : String(Number(json));
}

/**
 * The library keeps columns in plain objects under their joined path, where `__proto__`, `10` or `a,b` would go wrong. So they have keys of
 * their own there, and their names stand only in what is written.
 */
const keyOf = (index: number): string => `column ${index}`;
const pathNamed = (key: string, name: string): string[] => Object.defineProperty([name], 'join', { value: () => key });

function schemaOf(Schema: new (fields: SchemaDefinition) => ParquetSchema, columns: readonly string[]): ParquetSchema {
  const field = (name: string): FieldDefinition => ({
    type: 'UTF8',
    compression: 'SNAPPY',
    optional: !requiredColumns.has(name),
    statistics: false,
  });
  const schema = new Schema(Object.fromEntries(columns.map((name, i) => [keyOf(i), field(name)])));
  schema.fieldList.forEach((entry, i) => {
    entry.name = columns[i] as string;
    entry.path = pathNamed(keyOf(i), entry.name);
  });
  return schema;
}

/** The library flushes by rows; texts differ too much in length for that. */
class FlushBySize {
  readonly #writer: ParquetWriter;
  #pageBytes = 0;
  #groupBytes = 0;

  constructor(writer: ParquetWriter) {
    this.#writer = writer;
  }

  async append(values: Readonly<Record<string, string | null>>): Promise<void> {
    let bytes = 0;
    for (const value of Object.values(values)) bytes += value === null ? 0 : Buffer.byteLength(value);
    this.#pageBytes += bytes;
    this.#groupBytes += bytes;
    const [endsPage, endsGroup] = [this.#pageBytes >= pageBytes, this.#groupBytes >= rowGroupBytes];
    this.#writer.setPageSize(endsPage ? 1 : Number.POSITIVE_INFINITY);
    this.#writer.setRowGroupSize(endsGroup ? 1 : Number.POSITIVE_INFINITY);
    await this.#writer.appendRow(values);
    if (endsPage) this.#forgetValues();
    if (endsGroup) this.#groupBytes = 0;
  }

  /** A page that is encoded keeps its values for statistics, which are not written: they would be held until the row group ends. */
  #forgetValues(): void {
    this.#pageBytes = 0;
    for (const pages of Object.values(this.#writer.rowBuffer.pages ?? {})) pages.at(-1)?.distinct_values.clear();
  }
}

const streamTo = (write: (bytes: Uint8Array) => void): Parameters<typeof ParquetWriter.openStream>[1] =>
  ({
    write(bytes: Uint8Array, done: (error?: Error) => void) {
      write(bytes);
      done();
    },
    end: (done: (error?: Error) => void) => done(),
  }) as never;

/**
 * Documents as a Parquet file: `id` and `text` are always there; `source` and `category` are text too; `metadata` and all other columns hold
 * JSON. Everything is UTF-8, Snappy, in row groups of about 64 MiB; the bytes depend on columns and rows alone.
 *
 * @param columns in the order of the file; see `columnsOf`.
 * @throws what `write` throws. Memory: a few row groups.
 */
export async function writeDocuments(
  columns: readonly string[],
  rows: Iterable<DocumentRow>,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  // Loaded here, because it takes long and few steps need it.
  const { ParquetSchema: Schema, ParquetWriter: Writer } = await import('@dsnp/parquetjs');
  const writer = await Writer.openStream(schemaOf(Schema, columns), streamTo(write), { pageIndex: false });
  const flushed = new FlushBySize(writer);
  for (const row of rows) {
    const fields = writtenFields(row);
    await flushed.append(Object.fromEntries(columns.map((name, i) => [keyOf(i), cellOf(name, fields.get(name))])));
  }
  await writer.close();
}
