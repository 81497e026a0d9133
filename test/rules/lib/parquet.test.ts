import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PackedRows, packDocuments } from '../../../rules/lib/pack.ts';
import { lineageOf } from '../../../rules/lib/pack-lineage.ts';
import { extraColumnNames, type PackedColumn, packedColumns } from '../../../rules/lib/parquet/columns.ts';
import type { Codec, RowGroupMeta } from '../../../rules/lib/parquet/format.ts';
import { decodeRowGroupPart, encodeRowGroupPart } from '../../../rules/lib/parquet/part.ts';
import { encodeRowGroup } from '../../../rules/lib/parquet/rowgroup.ts';
import { shardFooter, shardHeader, writeShard } from '../../../rules/lib/parquet/shard.ts';
import { loadZstd } from '../../../rules/lib/zstd.ts';
import { BuildError } from '../../../src/base/errors.ts';
import { anyLabels, anyParts, anyShape, columnsOfRow, eosId, padId, part, type ReferenceRow, rowsOfSamples } from './pack-reference.ts';
import { type Columns, codecNames, codecs, columnsOf, fileOf, partOf, randomIds, rowsOf, shifted } from './parquet-rows.ts';

const test = suite('parquet');
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const isBadPart = (error: Error): boolean => error instanceof BuildError && error.code === 'bad-part';
const groupOf = (rows: number, { maxSeqLength = 16, seed = 1, below = 50_000, padding = 0 } = {}): PackedRows =>
  rowsOf(randomIds(rows * maxSeqLength, { seed, below }), { maxSeqLength, padding });

const { decompress } = await loadZstd();
const compressors = { ZSTD: (bytes: Uint8Array) => decompress(bytes) };
type Rows = Record<string, number[]>[];
const rowsFound = async (file: Uint8Array<ArrayBuffer>): Promise<Rows> =>
  (await parquetReadObjects({ file: file.buffer, compressors })) as Rows;

/** The columns that hyparquet finds; every row must have `maxSeqLength` values in each. */
async function read(file: Uint8Array<ArrayBuffer>, maxSeqLength: number): Promise<Columns> {
  const rows = await rowsFound(file);
  const column = (name: string): Int32Array => {
    for (const row of rows) assert.is(row[name]?.length, maxSeqLength);
    return Int32Array.from(rows.flatMap((row) => row[name] as number[]));
  };
  return Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, column(name)]));
}

const columnNames = packedColumns.map((column) => column.name);

test('rows of any shape are read back, from any number of row groups', async () => {
  const group = fc.record({
    rows: fc.integer({ min: 1, max: 9 }),
    below: fc.constantFrom(1, 2, 3, 300, 70_000, 1 << 22, 0x7fffffff),
    seed: fc.integer({ min: 1 }),
  });
  const shape = fc.record({
    maxSeqLength: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 200 })),
    padding: fc.nat({ max: 5 }),
    groups: fc.array(group, { minLength: 1, maxLength: 4 }),
    codec: fc.constantFrom(...codecNames),
    labels: fc.constantFrom('shifted' as const, 'hf' as const),
    acrossDocuments: fc.boolean(),
    extra: fc.subarray([...extraColumnNames]),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ maxSeqLength, padding, groups, ...options }) => {
      const rows = groups.map((given) => groupOf(given.rows, { ...given, maxSeqLength, padding: Math.min(padding, maxSeqLength - 1) }));
      const file = fileOf(rows.map((one) => partOf(one, options)));
      assert.equal(await read(file, maxSeqLength), columnsOf(rows, options));
    }),
  );
});

test('whatever is packed however is read back row by row as the specification has it', async () => {
  const written = fc.record({ codec: fc.constantFrom(...codecNames), extra: fc.subarray([...extraColumnNames]) });
  await fc.assert(
    fc.asyncProperty(anyParts, anyShape, anyLabels, written, async (given, shape, { kind, acrossDocuments }, { codec, extra }) => {
      const groups = given.map((samples) => packDocuments([part(...samples)], { ...shape, eosId, padId }));
      const file = fileOf(groups.map((group) => partOf(group, { codec, extra, labels: kind, acrossDocuments })));
      const expected = given.flatMap((samples) =>
        rowsOfSamples(samples, shape).map((row) => columnsOfRow(row, shape, { kind, acrossDocuments })),
      );
      const names = [...columnNames, ...extra] as (keyof ReferenceRow)[];
      assert.equal(
        await rowsFound(file),
        expected.map((row) => Object.fromEntries(names.map((name) => [name, row[name]]))),
      );
    }),
    { numRuns: 100 },
  );
});

test('rows are read back from many pages, with more distinct ids than two bytes tell apart', async () => {
  for (const codec of codecNames) {
    const group = groupOf(300, { maxSeqLength: 1024, below: 80_000, padding: 1 });
    const part = partOf(group, { codec });
    const { columns } = decodeRowGroupPart(part).meta;
    // A codec that counts how often bytes occur makes up for whole words; the others need the dictionary.
    if (codec !== 'zstd') assert.equal(columns[0]?.encodings, [0, 3, 8]);
    assert.ok((columns[0]?.bytesCompressed ?? 0) < group.ids.length * 3.3, 'places of 17 bits and their dictionary');
    assert.equal(await read(fileOf([part]), 1024), columnsOf([group]));
  }
});

test('a row longer than a page is a page of its own', async () => {
  const group = groupOf(2, { maxSeqLength: 300_000, below: 1000 });
  assert.equal(await read(fileOf([partOf(group)]), 300_000), columnsOf([group]));
});

test('ids too far apart for a table are written plain', () => {
  const group = rowsOf(Int32Array.of(0, 0x7fffffff, 5, 6), { maxSeqLength: 2 });
  const { meta } = encodeRowGroup({ ...group, ...shifted, codec: codecs.none });
  assert.equal(
    meta.columns.map((column) => column.encodings),
    [
      [0, 3],
      [0, 3, 8],
      [0, 3],
    ],
  );
});

test('ids that do not repeat are written plain, since a dictionary of them is as long as they are', () => {
  const group = rowsOf(
    Int32Array.from({ length: 1000 }, (_, i) => (i * 7919) % 50_000),
    { maxSeqLength: 1000 },
  );
  const { meta } = encodeRowGroup({ ...group, ...shifted, codec: codecs.none });
  assert.equal(meta.columns[0]?.encodings, [0, 3]);
});

test('a mask costs a few bytes a page, whatever its length', () => {
  const { meta } = encodeRowGroup({ ...groupOf(512, { maxSeqLength: 1024, padding: 3 }), ...shifted, codec: codecs.snappy });
  assert.ok((meta.columns[1]?.bytesCompressed ?? 0) < 1000, `${meta.columns[1]?.bytesCompressed} bytes`);
});

test('positions and numbers of documents cost little beside the tokens', () => {
  const documents = Array.from({ length: 3000 }, (_, d) =>
    Array.from(randomIds(30 + ((d * 37) % 300), { seed: d + 1, below: 20_000 }), (id) => id + 2),
  );
  const group = packDocuments([part(...documents)], { maxSeqLength: 1024, packing: 'best-fit', longDocuments: 'split', eosId, padId });
  const bytesOf = (codec: Codec): number[] =>
    decodeRowGroupPart(partOf(group, { codec, extra: extraColumnNames })).meta.columns.map(
      (column) => column.bytesCompressed / group.ids.length,
    );
  for (const codec of ['snappy', 'zstd'] as const) {
    const [, , , positions = 1, documentIds = 1] = bytesOf(codec);
    assert.ok(positions < 0.15 && documentIds < 0.02, `${positions} and ${documentIds} bytes a token with ${codec}`);
  }
});

test('a lineage of short documents takes at most a fiftieth of what its rows take', () => {
  const random = randomIds(40_000, { seed: 3, below: 30 });
  // Short sentences: 25 tokens on average, of a vocabulary in which most are rare.
  const documents = Array.from({ length: 20_000 }, (_, d) =>
    Array.from(randomIds(10 + (random[d] as number), { seed: d + 1, below: 1 << 15 }), (id) => 2 + Math.floor((id * id) / (1 << 16))),
  );
  for (const packing of ['concat', 'best-fit'] as const) {
    const group = packDocuments([part(...documents)], { maxSeqLength: 2048, packing, longDocuments: 'split', eosId, padId });
    const [bytes, of] = [lineageOf(group).length, decodeRowGroupPart(partOf(group)).bytes.length];
    assert.ok(bytes <= of / 50, `${packing}: ${bytes} bytes for ${of}`);
  }
});

test('text whose words repeat takes less than two bytes a token', () => {
  const sentences = Array.from({ length: 400 }, (_, s) => randomIds(12, { seed: s + 1, below: 30_000 }));
  const order = randomIds(20_000, { seed: 9, below: sentences.length });
  const ids = Int32Array.from(Array.from(order).flatMap((s) => Array.from(sentences[s] as Int32Array)));
  const group = rowsOf(ids.subarray(0, 234 * 1024), { maxSeqLength: 1024 });
  const bytes = encodeRowGroup({ ...group, ...shifted, codec: codecs.snappy }).meta.columns[0]?.bytesCompressed ?? 0;
  assert.ok(bytes < group.ids.length, `${bytes} bytes for ${group.ids.length} tokens`);
});

test('a file without rows is a file with the three columns', async () => {
  assert.ok(Buffer.compare(fileOf([partOf(groupOf(0)), partOf(groupOf(5))]), fileOf([partOf(groupOf(5))])) === 0);
  for (const parts of [[], [partOf(groupOf(0))]]) {
    const file = fileOf(parts);
    const metadata = parquetMetadata(file.buffer);
    assert.is(metadata.num_rows, 0n);
    assert.equal(metadata.row_groups, []);
    assert.equal(
      metadata.schema.filter((element) => element.converted_type === 'LIST').map((element) => element.name),
      columnNames,
    );
    assert.equal(await parquetReadObjects({ file: file.buffer }), []);
  }
});

test('the bytes of a shard are pinned', () => {
  const group = { ...groupOf(40, { maxSeqLength: 32, below: 500 }), ...shifted };
  const padded = groupOf(3, { maxSeqLength: 32, below: 9, padding: 5 });
  const parts = (codec: Codec): Uint8Array[] => [partOf(group, { codec }), partOf(padded, { codec, acrossDocuments: false })];
  const extra = extraColumnNames;
  assert.is(digestOf(fileOf(parts('none'), { b: '2', a: 'ä' })), '5078d87ea01e6f15d331f404e8415b08b84945cba58ad6621ffc81063ff30f0f');
  assert.is(digestOf(fileOf(parts('snappy'))), '201df4c5982c024ce72bad2cd344f745e7eb8d7eab380939764f01539ee734dd');
  assert.is(digestOf(fileOf(parts('zstd'))), '96a2331eba49694494d5005346fc9b6b07bd96e06b8f84e7c530efa0397ecedd');
  assert.is(
    digestOf(fileOf([partOf(padded, { codec: 'none', extra })])),
    'e83757b9185ff00297b83c4c63f8a07586ad5e88c0d7e12c0a515c39e23d329f',
  );
  assert.is(digestOf(fileOf([])), '3b0e09bf68b95d0399a1244f3e51b0e3f719584df4b1f15faa5a8af31cd6a293');
});

test('what was written is counted', () => {
  let bytes = 0;
  const summary = writeShard(
    [partOf(groupOf(5)), partOf(groupOf(0)), partOf(groupOf(7))],
    (piece) => {
      bytes += piece.length;
    },
    {
      keyValues: {},
    },
  );
  assert.equal(summary, { bytes, rows: 12, rowGroups: 2 });
});

test('row groups are copied byte for byte behind the header', () => {
  const parts = [partOf(groupOf(5)), partOf(groupOf(7, { seed: 2 }))];
  const bytes = parts.map((part) => decodeRowGroupPart(part).bytes);
  const file = fileOf(parts);
  const expected = Buffer.concat([shardHeader(), ...bytes]);
  assert.ok(Buffer.compare(file.subarray(0, expected.length), expected) === 0);
});

test('the footer says rows, sizes, statistics and key values', () => {
  const first = groupOf(5, { padding: 2 });
  const metadata = parquetMetadata(fileOf([partOf(first), partOf(groupOf(7))], { tokenizer: 'x', max_seq_length: '16' }).buffer);
  assert.is(metadata.num_rows, 12n);
  assert.is(metadata.created_by, 'dsbuild');
  assert.equal(metadata.key_value_metadata, [
    { key: 'max_seq_length', value: '16' },
    { key: 'tokenizer', value: 'x' },
  ]);
  const columns = (metadata.row_groups[0]?.columns ?? []).map((column) => column.meta_data);
  const expected = Object.values(columnsOf([first])).map((values) => [Math.min(...values), Math.max(...values)]);
  assert.equal(
    columns.map((column) => [column?.statistics?.min_value, column?.statistics?.max_value]),
    expected,
  );
  assert.equal(
    columns.map((column) => column?.statistics?.null_count),
    [0n, 0n, 0n],
  );
  assert.equal(
    columns.map((column) => column?.num_values),
    [80n, 80n, 80n],
  );
});

test('what all row groups say stands in the footer; groups that say different things make no file', () => {
  const saying = (keyValues?: Record<string, string>): Uint8Array =>
    encodeRowGroupPart(encodeRowGroup({ ...groupOf(1), ...shifted, codec: codecs.none, ...(keyValues && { keyValues }) }));
  const file = fileOf([saying({ b: '1', a: '2' }), saying({ a: '2', b: '1' })], { aa: '3' });
  assert.equal(parquetMetadata(file.buffer).key_value_metadata, [
    { key: 'a', value: '2' },
    { key: 'aa', value: '3' },
    { key: 'b', value: '1' },
  ]);
  const isMixed = (error: BuildError): boolean => error.code === 'mixed-tokens' && error.message.includes('have a 2 and ');
  assert.throws(() => fileOf([saying({ a: '2' }), saying({ a: '3' })]), isMixed);
  assert.throws(() => fileOf([saying({ a: '2' }), saying()]), isMixed);
});

test('a row group behind 2^32 bytes is found', async () => {
  const group = groupOf(4);
  const part = decodeRowGroupPart(partOf(group));
  const farBytes = 5_000_000_000;
  const far: RowGroupMeta = {
    ...part.meta,
    bytes: farBytes,
    columns: part.meta.columns.map((column) => ({ ...column, bytesCompressed: 1_700_000_000 })),
  };
  const footer = shardFooter({ groups: [far, part.meta], keyValues: {} });
  const tail = new Uint8Array(Buffer.concat([part.bytes, footer]));
  const tailStart = 4 + farBytes;
  const file = {
    byteLength: tailStart + tail.length,
    slice: (start: number, end = tailStart + tail.length): ArrayBuffer => {
      assert.ok(start >= tailStart, `nothing is read at ${start}`);
      return tail.slice(start - tailStart, end - tailStart).buffer;
    },
  };
  const metadata = parquetMetadata(tail.buffer);
  assert.is(metadata.row_groups[1]?.file_offset, BigInt(tailStart));
  const rows = (await parquetReadObjects({ file, metadata, rowStart: 4, rowEnd: 8 })) as Record<string, number[]>[];
  assert.equal(
    rows.flatMap((row) => row['input_ids'] as number[]),
    Array.from(group.ids),
  );
});

test('another column is one more entry in the list of columns', async () => {
  const rowNumber: PackedColumn = {
    name: 'row_number',
    values: ({ rows, maxSeqLength }) => ({
      values: Int32Array.from({ length: rows }, (_, row) => row),
      lengths: new Uint32Array(rows).fill(maxSeqLength),
    }),
  };
  const columns = [...packedColumns, rowNumber];
  const part = encodeRowGroupPart(encodeRowGroup({ ...groupOf(30, { maxSeqLength: 4 }), ...shifted, codec: codecs.snappy, columns }));
  const found = (await parquetReadObjects({ file: fileOf([part]).buffer })) as Record<string, number[]>[];
  assert.equal(
    found.map((row) => row['row_number']),
    Array.from({ length: 30 }, (_, row) => [row, row, row, row]),
  );
  assert.throws(
    () => fileOf([part, partOf(groupOf(1))]),
    /the columns input_ids, attention_mask, labels; the shard's first has .*row_number/,
  );
});

test('a part gives back its row group, as a view, and its meta survives JSON', () => {
  const encoded = encodeRowGroup({ ...groupOf(5), ...shifted, codec: codecs.snappy });
  const part = encodeRowGroupPart(encoded);
  const decoded = decodeRowGroupPart(part);
  assert.equal(decoded.meta, encoded.meta);
  assert.ok(Buffer.compare(decoded.bytes, encoded.bytes) === 0);
  assert.is(decoded.bytes.buffer, part.buffer);
});

test('a part that is cut short, grown or not a part is refused', () => {
  const part = partOf(groupOf(2));
  for (let size = 0; size < part.length; size++) {
    assert.throws(() => decodeRowGroupPart(part.subarray(0, size)), isBadPart);
    assert.throws(() => decodeRowGroupPart(part.subarray(part.length - size)), isBadPart);
  }
});

test('a part whose meta does not tell of its bytes is refused', () => {
  const { bytes, meta } = decodeRowGroupPart(partOf(groupOf(2)));
  const [first, mask, labels] = meta.columns;
  const rest = [mask, labels];
  const refused = (changed: unknown): void =>
    assert.throws(() => decodeRowGroupPart(encodeRowGroupPart({ bytes, meta: changed as RowGroupMeta })), isBadPart);
  refused(null);
  refused({ ...meta, rows: -1 });
  refused({ ...meta, keyValues: { a: 1 } });
  refused({ ...meta, bytes: meta.bytes + 1 });
  refused({ ...meta, columns: rest });
  refused({ ...meta, columns: [null, ...rest] });
  refused({ ...meta, columns: [{ ...first, codec: 'lzo' }, ...rest] });
  refused({ ...meta, columns: [{ ...first, dataPageOffset: -1 }, ...rest] });
  refused({ ...meta, columns: [first, { ...mask, dataPageOffset: 1 }, labels] });
  refused({ ...meta, columns: [first, mask, { ...labels, bytesCompressed: 1 }] });
  refused({ ...meta, columns: [{ ...first, bytesCompressed: 1 }, ...rest] });
});

test('arrays that do not fit the number of rows are refused', () => {
  const group = { ...groupOf(2), ...shifted, codec: codecs.snappy };
  const isBadParams = (error: Error): boolean => error instanceof BuildError && error.code === 'bad-params';
  for (const changed of [{ rows: 3 }, { maxSeqLength: 8 }, { realLengths: Uint32Array.of(1) }, { rows: 1, maxSeqLength: 0 }]) {
    assert.throws(() => encodeRowGroup({ ...group, ...changed }), isBadParams);
  }
});

test.run();
