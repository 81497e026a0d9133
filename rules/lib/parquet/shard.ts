import { BuildError } from '../../../src/base/errors.ts';
import { ByteSink, utf8 } from './bytes.ts';
import { packedColumns } from './columns.ts';
import { type ColumnMeta, codecIds, convertedTypes, fileMagic, physicalTypes, type RowGroupMeta, repetitions } from './format.ts';
import { decodeRowGroupPart } from './part.ts';
import { type ThriftStruct, writeStruct } from './thrift.ts';

export interface ShardFooterInput {
  /** In the order in which their bytes follow the header. Groups without rows are left out. */
  readonly groups: readonly RowGroupMeta[];
  /** Written with those of the groups, sorted by key, by code unit. */
  readonly keyValues: Readonly<Record<string, string>>;
  /** Names of the columns of a file without rows, if not those of `packedColumns`. */
  readonly columns?: readonly string[];
}

/** What every file starts with; row groups follow without gaps. */
export function shardHeader(): Uint8Array {
  return utf8(fileMagic);
}

/**
 * What ends a file: its metadata, the metadata's length, the magic word.
 *
 * @throws {BuildError} `bad-part` when the groups do not all have the same columns, `mixed-tokens` when their key values differ.
 */
export function shardFooter({ groups, keyValues, columns = packedColumns.map((column) => column.name) }: ShardFooterInput): Uint8Array {
  const filled = withRows(groups);
  const names = filled[0]?.columns.map((column) => column.name) ?? columns;
  const pairs = Object.entries({ ...keyValuesOf(filled), ...keyValues }).sort(([a], [b]) => (a < b ? -1 : 1));
  const out = new ByteSink(1024);
  writeStruct(out, (file) =>
    file
      .i32(1, 2)
      .structs(2, schemaOf(names), schemaFields)
      .i64(
        3,
        filled.reduce((rows, group) => rows + group.rows, 0),
      )
      .structs(4, placed(filled, names), rowGroupFields)
      .structs(5, pairs, (pair, [key, value]) => pair.binary(1, key).binary(2, value))
      .binary(6, 'dsbuild')
      // Each column has the order that its type defines; without this readers do not trust min and max.
      .structs(7, names, (order) => order.struct(1, () => {})),
  );
  out.uint32(out.length);
  out.append(utf8(fileMagic));
  return out.copy();
}

/** What a written shard holds. */
export interface ShardSummary {
  readonly bytes: number;
  readonly rows: number;
  readonly rowGroups: number;
}

/**
 * Writes a file from row group parts: their bytes are copied as they are, one footer is new.
 *
 * Holds one part and the metas of all at a time. @throws {BuildError} `bad-part` as `decodeRowGroupPart` and `shardFooter` do.
 */
export function writeShard(
  parts: Iterable<Uint8Array>,
  write: (bytes: Uint8Array) => void,
  options: Omit<ShardFooterInput, 'groups'>,
): ShardSummary {
  const groups: RowGroupMeta[] = [];
  let written = 0;
  const put = (bytes: Uint8Array): void => {
    if (bytes.length > 0) write(bytes);
    written += bytes.length;
  };
  put(shardHeader());
  for (const part of parts) {
    const { bytes, meta } = decodeRowGroupPart(part);
    put(bytes);
    groups.push(meta);
  }
  put(shardFooter({ ...options, groups }));
  return { bytes: written, rows: groups.reduce((rows, group) => rows + group.rows, 0), rowGroups: withRows(groups).length };
}

const withRows = (groups: readonly RowGroupMeta[]): RowGroupMeta[] => groups.filter((group) => group.rows > 0);

/** What all groups say. */
function keyValuesOf([first, ...others]: readonly RowGroupMeta[]): Readonly<Record<string, string>> {
  const said = first?.keyValues ?? {};
  for (const { keyValues = {} } of others) {
    const key = [...Object.keys(said), ...Object.keys(keyValues)].find((name) => keyValues[name] !== said[name]);
    if (key === undefined) continue;
    throw new BuildError('mixed-tokens', {
      message: `row groups of one file have ${key} ${String(said[key])} and ${String(keyValues[key])}`,
      hint: 'Tokenize all of a split with one tokenizer.',
    });
  }
  return said;
}

interface PlacedGroup {
  readonly group: RowGroupMeta;
  readonly start: number;
}

function placed(groups: readonly RowGroupMeta[], names: readonly string[]): PlacedGroup[] {
  let start = fileMagic.length;
  return groups.map((group) => {
    checkColumns(group, names);
    const here = { group, start };
    start += group.bytes;
    return here;
  });
}

function checkColumns(group: RowGroupMeta, names: readonly string[]): void {
  const seen = group.columns.map((column) => column.name);
  if (seen.length === names.length && seen.every((name, i) => name === names[i])) return;
  throw new BuildError('bad-part', {
    message: `a row group has the columns ${seen.join(', ')}; the shard's first has ${names.join(', ')}`,
    hint: 'Row groups of one shard must come from one set of options.',
  });
}

interface SchemaElement {
  readonly name: string;
  readonly children?: number;
  readonly repetition?: number;
  readonly kind?: 'list' | 'int32';
}

/** The standard three levels of a list, nullable as Arrow's own writers make it: pyarrow shows `list<element: int32>`. */
function schemaOf(names: readonly string[]): SchemaElement[] {
  const root: SchemaElement = { name: 'schema', children: names.length };
  const lists = names.flatMap((name): SchemaElement[] => [
    { name, children: 1, repetition: repetitions.optional, kind: 'list' },
    { name: 'list', children: 1, repetition: repetitions.repeated },
    { name: 'element', repetition: repetitions.optional, kind: 'int32' },
  ]);
  return [root, ...lists];
}

function schemaFields(out: ThriftStruct, { name, children, repetition, kind }: SchemaElement): void {
  if (kind === 'int32') out.i32(1, physicalTypes.int32);
  if (repetition !== undefined) out.i32(3, repetition);
  out.binary(4, name);
  if (children !== undefined) out.i32(5, children);
  if (kind === 'list') out.i32(6, convertedTypes.list).struct(10, (logical) => logical.struct(3, () => {}));
}

function rowGroupFields(out: ThriftStruct, { group, start }: PlacedGroup): void {
  out
    .structs(1, group.columns, (chunk, column) => chunk.i64(2, 0).struct(3, (meta) => columnFields(meta, column, start)))
    .i64(
      2,
      group.columns.reduce((sum, column) => sum + column.bytesUncompressed, 0),
    )
    .i64(3, group.rows)
    .i64(5, start)
    .i64(6, group.bytes);
}

function columnFields(out: ThriftStruct, column: ColumnMeta, start: number): void {
  out
    .i32(1, physicalTypes.int32)
    .i32s(2, column.encodings)
    .strings(3, [column.name, 'list', 'element'])
    .i32(4, codecIds[column.codec])
    .i64(5, column.values)
    .i64(6, column.bytesUncompressed)
    .i64(7, column.bytesCompressed)
    .i64(9, start + column.dataPageOffset);
  if (column.dictionaryPageOffset !== null) out.i64(11, start + column.dictionaryPageOffset);
  out.struct(12, (statistics) => statistics.i64(3, 0).binary(5, int32(column.max)).binary(6, int32(column.min)));
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
