import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exportDataset } from '../../rules/export.ts';
import { decompress } from '../../rules/lib/decompress.ts';
import { columnsOf, writeDocuments } from '../../rules/lib/documents-parquet.ts';
import { digestHex } from '../../src/base/digest.ts';
import { DocumentRow } from '../../src/rule/documents.ts';
import { fieldsOf, objectOf } from '../../src/rule/json-fields.ts';
import type { Part } from '../../src/rule/part.ts';
import { python, runPython } from '../python.ts';
import { bytesOf, chunksOf, documentsPart, identitiesOf, planRule, selectedFrom } from './harness.ts';

const test = suite('export');

async function exported(documents: readonly Part[], options: Readonly<Record<string, unknown>>): Promise<Record<string, Buffer>> {
  const { outputs } = await planRule(exportDataset, { documents }, options);
  return Object.fromEntries((outputs['main'] ?? []).map((part) => [part.name, bytesOf(part)]));
}

async function linesIn(documents: readonly Part[], options: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const files = await exported(documents, { format: 'jsonl', each: 'collection', ...options });
  return (files['data.jsonl'] as Buffer).toString().split('\n').slice(0, -1);
}

const codeOf = (documents: readonly Part[], options: Readonly<Record<string, unknown>>): Promise<string> =>
  exported(documents, { format: 'jsonl', ...options }).then(
    () => 'none',
    (error) => error.code,
  );

const twoGroups = [
  documentsPart([{ id: '1', text: 'a' }], 'code/apps'),
  documentsPart([{ id: '2', text: 'b' }], 'web/news'),
  documentsPart([{ id: '3', text: 'c' }], 'code/apps'),
];
const lines = (...ids: number[]): string => ids.map((id) => `{"id":"${id}","text":"${'abc'[id - 1]}"}\n`).join('');

test('each group becomes a file by default, or all groups one', async () => {
  const perGroup = await exported(twoGroups, { format: 'jsonl' });
  assert.equal(
    Object.entries(perGroup).map(([name, bytes]) => [name, bytes.toString()]),
    [
      ['code/apps.jsonl', lines(1, 3)],
      ['web/news.jsonl', lines(2)],
    ],
  );
  const all = await exported(twoGroups, { format: 'jsonl', each: 'collection' });
  assert.equal(
    Object.entries(all).map(([name, bytes]) => [name, bytes.toString()]),
    [['data.jsonl', lines(1, 2, 3)]],
  );
});

test('a name is used where there is one file, and refused where there are several or it leads outside', async () => {
  assert.equal(Object.keys(await exported(twoGroups, { format: 'jsonl', each: 'collection', name: 'x/all.jsonl' })), ['x/all.jsonl']);
  assert.equal(Object.keys(await exported(twoGroups.slice(0, 1), { format: 'jsonl', name: 'one' })), ['one']);
  assert.is(await codeOf(twoGroups, { name: 'one' }), 'one-name');
  assert.is(await codeOf(twoGroups, { name: '../one', each: 'collection' }), 'bad-name');
  assert.is(await codeOf([documentsPart([{ text: 'a' }], '../a')], {}), 'bad-group');
  assert.is(await codeOf(twoGroups, { fields: [] }), 'no-fields');
});

test('all fields come out as they were written', async () => {
  const odd = [
    '{"id":12345678901234567890,"text":"n"}',
    '{"id":"a", "text":"\\u00e9", "__proto__":{"x":1}, "10":1, "9":2}',
    '{"id":"b","text":"x","text":"y","metadata":{"big":0.1000000000000000055}}',
  ];
  assert.equal(await linesIn([documentsPart(odd)]), odd);
});

test('a missing id becomes the digest of the record, wherever the record lies and whatever its line ends with', async () => {
  const records = ['{"text":"a","10":1}', '{"id":null,"text":"a"}', '{"text":"a","id":""}'];
  const wanted = [
    `{"id":"${digestHex(records[0] as string)}","text":"a","10":1}`,
    `{"id":"${digestHex(records[1] as string)}","text":"a"}`,
    `{"text":"a","id":"${digestHex(records[2] as string)}"}`,
  ];
  assert.equal(await linesIn([documentsPart(records)]), wanted);
  assert.equal(await linesIn(chunksOf(`\ufeff${records.join('\r\n')}`)), wanted);
});

test('chosen fields come in the order chosen, each once, as far as a document has them', async () => {
  const part = documentsPart(['{"text":"a","metadata":{"n":12345678901234567890},"x":1}', '{"text":"b","text":"c","__proto__":2}']);
  assert.equal(await linesIn([part], { fields: ['metadata', 'text', '__proto__', 'text'] }), [
    '{"metadata":{"n":12345678901234567890},"text":"a"}',
    '{"text":"c","__proto__":2}',
  ]);
  const [first] = await linesIn([part], { fields: ['id', 'source'] });
  assert.match(first as string, /^\{"id":"[0-9a-f]{64}"\}$/);
});

test('views are applied', async () => {
  const base = documentsPart(['{"id":"0","text":""}', '{"id":"1","text":""}', '{"id":"2","text":""}']);
  assert.equal(await linesIn([selectedFrom(base, [0, 2]), selectedFrom(base, [])]), ['{"id":"0","text":""}', '{"id":"2","text":""}']);
});

const content = Array.from({ length: 400 }, (_, i) => `{"id":"${i}","text":"document ${i} ${'x'.repeat(i % 40)}"}\n`).join('');

async function zstdPlain(bytes: Buffer): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompress('jsonl.zst', [bytes])) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('gzip and zstd files hold the same lines, a member for each chunk', async () => {
  const documents = chunksOf(content, { chunkBytes: 2048 });
  const gz = (await exported(documents, { format: 'jsonl.gz' }))['a/b.jsonl.gz'] as Buffer;
  assert.is(gunzipSync(gz).toString(), content);
  const zst = (await exported(documents, { format: 'jsonl.zst' }))['a/b.jsonl.zst'] as Buffer;
  assert.is(await zstdPlain(zst), content);
  const { steps } = await planRule(exportDataset, { documents }, { format: 'jsonl.gz' });
  assert.equal(steps, [...documents.map(() => 'render'), 'join']);
  const alone = (await exported(documents.slice(0, 1), { format: 'jsonl.gz' }))['a/b.jsonl.gz'] as Buffer;
  assert.ok(gz.subarray(0, alone.length).equals(alone));
});

test('no documents are a file that can be read', async () => {
  const none = [selectedFrom(documentsPart(['{"text":"a"}']), [])];
  for (const documents of [none, []]) {
    const of = async (format: string): Promise<Buffer> =>
      (await exported(documents, { format, each: 'collection' }))[`data.${format}`] as Buffer;
    assert.is((await of('jsonl')).length, 0);
    assert.is(gunzipSync(await of('jsonl.gz')).length, 0);
    assert.is(await zstdPlain(await of('jsonl.zst')), '');
    assert.is((await of('parquet')).toString('latin1', 0, 4), 'PAR1');
  }
});

test('the columns of a Parquet file are the known fields that occur, then the others by code unit', () => {
  assert.equal(columnsOf(new Set()), ['id', 'text']);
  assert.equal(columnsOf(new Set(['b', 'metadata', 'source', 'B', 'id', 'é', '10'])), [
    'id',
    'text',
    'source',
    'metadata',
    '10',
    'B',
    'b',
    'é',
  ]);
});

interface Read {
  columns: Record<string, (string | null)[]>;
  fields: string[];
  rowGroups: number;
  createdBy: string;
}

function readBack(files: readonly Buffer[]): Read[] | undefined {
  const interpreter = python('pyarrow');
  if (interpreter === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-export-'));
  try {
    const paths = files.map((bytes, i) => {
      const path = join(folder, `${i}.parquet`);
      writeFileSync(path, bytes);
      return path;
    });
    return runPython(interpreter, 'read_documents.py', paths) as Read[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const parquetOf = async (documents: readonly Part[], options: object = {}): Promise<Buffer> =>
  (await exported(documents, { format: 'parquet', ...options }))['a/b.parquet'] as Buffer;

const oddDocuments = [
  documentsPart(['{"id":12345678901234567890,"text":"é😀\\n","source":"s","__proto__":{"x":1}}', '{"id":1e3,"text":"","source":7}']),
  documentsPart(['{"text":"c","category":"k","metadata":{"n": 12345678901234567890},"a,b":null,"10":"x"}']),
];

test('pyarrow reads what was written: text as text, all else as JSON', async () => {
  const files = [
    await parquetOf(oddDocuments),
    await parquetOf(oddDocuments, { fields: ['text', 'nowhere'] }),
    await parquetOf([selectedFrom(oddDocuments[0] as Part, [])]),
  ];
  const read = readBack(files);
  if (!read) return;
  const digest = digestHex('{"text":"c","category":"k","metadata":{"n": 12345678901234567890},"a,b":null,"10":"x"}');
  assert.equal(read[0], {
    columns: {
      id: ['12345678901234567890', '1000', digest],
      text: ['é😀\n', '', 'c'],
      source: ['s', '7', null],
      category: [null, null, 'k'],
      metadata: [null, null, '{"n": 12345678901234567890}'],
      '10': [null, null, '"x"'],
      // Computed, because the literal would set the prototype.
      ['__proto__']: ['{"x":1}', null, null],
      'a,b': [null, null, null],
    },
    fields: [
      'id: string not null',
      'text: string not null',
      'source: string',
      'category: string',
      'metadata: string',
      '10: string',
      '__proto__: string',
      'a,b: string',
    ],
    rowGroups: 1,
    createdBy: '@dsnp/parquetjs',
  });
  assert.equal(read[1]?.columns, { text: ['é😀\n', '', 'c'], nowhere: [null, null, null] });
  assert.equal([read[2]?.columns, read[2]?.rowGroups], [{ id: [], text: [] }, 0]);
});

test('a large Parquet file has row groups of bounded size, and every value', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => new DocumentRow(i, Buffer.from(`{"id":"${i}","text":"${'x'.repeat(1 << 20)}${i}"}`)));
  const pieces: Uint8Array[] = [];
  await writeDocuments(['id', 'text'], rows, (bytes) => void pieces.push(Buffer.from(bytes)));
  const read = readBack([Buffer.concat(pieces)]);
  if (!read) return;
  assert.is(read[0]?.rowGroups, 2);
  assert.equal(
    read[0]?.columns['text']?.map((text) => text?.slice(1 << 20)),
    rows.map((_, i) => String(i)),
  );
});

test('the columns of one chunk are found by a step of its own', async () => {
  const { steps } = await planRule(exportDataset, { documents: oddDocuments }, { format: 'parquet' });
  assert.equal(steps, ['fields', 'fields', 'parquet']);
  assert.equal((await planRule(exportDataset, { documents: oddDocuments }, { format: 'parquet', fields: ['text'] })).steps, ['parquet']);
});

test('bytes are the same in two runs, whatever step ends first', async () => {
  const documents = [...chunksOf(content, { chunkBytes: 2048 }), ...twoGroups];
  for (const format of ['jsonl', 'jsonl.gz', 'jsonl.zst', 'parquet']) {
    const seen = await identitiesOf(exportDataset, { documents }, { format, schedules: 3 });
    assert.is(new Set(seen).size, 1, format);
  }
});

test('fields are found as JSON.parse finds them, whatever the spaces and escapes', () => {
  const record = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }), { noNullPrototype: true });
  fc.assert(
    fc.property(record, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const parsed = JSON.parse(text) as object;
      assert.equal(new Map([...fieldsOf(text)].map(([name, json]) => [name, JSON.parse(json)])), new Map(Object.entries(parsed)));
      assert.equal(JSON.parse(objectOf(fieldsOf(text))), parsed);
    }),
  );
});

test.run();
