import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type PackedRows, packDocuments } from '../../../rules/lib/pack.ts';
import { extraColumnNames } from '../../../rules/lib/parquet/columns.ts';
import type { Codec } from '../../../rules/lib/parquet/format.ts';
import { python, runPython } from '../../python.ts';
import { columnsOf, fileOf, partOf, randomIds, rowsOf, type Written } from './parquet-rows.ts';

/** What `test/python/describe.py` says of a file. */
interface Description {
  rows: number;
  columns: Record<string, { lengths: number[]; first: number[]; digest: string }>;
  schema: unknown;
}

interface Case extends Written {
  name: string;
  codec: Codec;
  groups: PackedRows[];
}

const keyValues = { max_seq_length: '1024', tokenizer: 'gpt2' };
const group = (rows: number, { maxSeqLength = 64, seed = 1, below = 50_000, padding = 0 } = {}): PackedRows =>
  rowsOf(randomIds(rows * maxSeqLength, { seed, below }), { maxSeqLength, padding });

const cases: Case[] = [
  {
    name: 'groups',
    codec: 'snappy',
    labels: 'shifted',
    acrossDocuments: true,
    groups: [group(9), group(5, { padding: 3 }), group(70, { below: 40 })],
  },
  {
    name: 'plain',
    codec: 'none',
    labels: 'hf',
    acrossDocuments: false,
    groups: [group(9, { below: 1 << 30, padding: 1 }), group(9, { below: 3 })],
  },
  { name: 'ones', codec: 'snappy', labels: 'shifted', acrossDocuments: true, groups: [group(1000, { maxSeqLength: 1 })] },
  { name: 'pages', codec: 'snappy', labels: 'shifted', acrossDocuments: true, groups: [group(300, { maxSeqLength: 1024, below: 80_000 })] },
  {
    name: 'packed-17-bits',
    codec: 'none',
    labels: 'shifted',
    acrossDocuments: true,
    groups: [group(300, { maxSeqLength: 1024, below: 80_000, padding: 9 })],
  },
  { name: 'long-rows', codec: 'snappy', labels: 'hf', acrossDocuments: true, groups: [group(2, { maxSeqLength: 300_000, below: 900 })] },
];

/** Documents of 1 to 300 tokens, some of them longer than a row, best-fit. */
const documents = Array.from({ length: 200 }, (_, d) => Array.from(randomIds(1 + ((d * d) % 300), { seed: d + 1, below: 50_000 })));
const bestFit = packDocuments([{ lengths: Uint32Array.from(documents, ({ length }) => length), ids: Int32Array.from(documents.flat()) }], {
  maxSeqLength: 256,
  packing: 'best-fit',
  longDocuments: 'split',
  eosId: 50_000,
  padId: 50_001,
});
for (const codec of ['snappy', 'zstd', 'none'] as const) {
  cases.push({
    name: `best-fit-${codec}`,
    codec,
    labels: 'shifted',
    acrossDocuments: false,
    extra: extraColumnNames,
    groups: [bestFit, bestFit],
  });
}
const namesOf = ({ extra = [] }: Partial<Written> = {}): string[] => ['input_ids', 'attention_mask', 'labels', ...extra];

function expected({ groups, codec: _, ...options }: Case): Omit<Description, 'schema'> {
  const maxSeqLength = groups[0]?.maxSeqLength as number;
  const columns = Object.entries(columnsOf(groups, options)).map(([name, values]) => {
    const digest = createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex');
    return [name, { lengths: [maxSeqLength], first: Array.from(values.slice(0, 8)), digest }];
  });
  return { rows: groups.reduce((rows, one) => rows + one.rows, 0), columns: Object.fromEntries(columns) };
}

const empty = createHash('sha256').digest('hex');
const expectedEmpty: Omit<Description, 'schema'> = {
  rows: 0,
  columns: Object.fromEntries(['input_ids', 'attention_mask', 'labels'].map((name) => [name, { lengths: [], first: [], digest: empty }])),
};

const test = suite('parquet readers');
const folder = mkdtempSync(join(tmpdir(), 'dsbuild-parquet-'));
test.after(() => rmSync(folder, { recursive: true }));

const pathOf = (name: string): string => join(folder, `${name}.parquet`);
for (const one of cases)
  writeFileSync(
    pathOf(one.name),
    fileOf(
      one.groups.map((rows) => partOf(rows, one)),
      keyValues,
    ),
  );
writeFileSync(pathOf('empty'), fileOf([], keyValues));

/** Checks the rows and values of every case, and of what else is given by its paths; returns the reader's schema of each. */
function check(reader: string, [paths, wanted]: readonly [string, Omit<Description, 'schema'>]): unknown[] | undefined {
  const interpreter = python(reader);
  if (interpreter === undefined) return undefined;
  const seen = runPython(interpreter, `read_${reader}.py`, [...cases.map((one) => pathOf(one.name)), paths]) as Description[];
  const all = [...cases.map(expected), wanted];
  assert.is(seen.length, all.length);
  seen.forEach(({ rows, columns }, i) => {
    assert.equal({ rows, columns }, all[i], cases[i]?.name ?? paths);
  });
  return seen.map((one) => one.schema);
}

/** Least and greatest value and the number of nulls, of each column of each row group. */
function statisticsOf(one: Case | undefined): number[][][] {
  const { groups = [], codec: _, ...options } = one ?? { codec: 'none', labels: 'hf', acrossDocuments: true };
  return groups.map((rows) =>
    Object.values(columnsOf([rows], options)).map((values) => [
      values.reduce((a, b) => Math.min(a, b)),
      values.reduce((a, b) => Math.max(a, b)),
      0,
    ]),
  );
}

test('pyarrow reads every value, the schema as its own writer makes it, statistics and key values', () => {
  const schemas = check('pyarrow', [pathOf('empty'), expectedEmpty]) as
    | { arrow: string[]; keyValues: unknown; createdBy: string; statistics: number[][][] }[]
    | undefined;
  for (const [i, schema] of (schemas ?? []).entries()) {
    assert.equal(
      schema.arrow,
      namesOf(cases[i]).map((name) => `pyarrow.Field<${name}: list<element: int32>>`),
    );
    assert.equal(schema.keyValues, keyValues);
    assert.is(schema.createdBy, 'dsbuild');
    assert.equal(schema.statistics, statisticsOf(cases[i]));
  }
});

test('DuckDB reads every value and the statistics', () => {
  const schemas = check('duckdb', [pathOf('empty'), expectedEmpty]) as { fields: string[]; statistics: number[][][] }[] | undefined;
  for (const [i, { fields, statistics }] of (schemas ?? []).entries()) {
    assert.equal(statistics, statisticsOf(cases[i]));
    assert.equal(
      fields,
      namesOf(cases[i]).map((name) => `${name}: INTEGER[]`),
    );
  }
});

test('Hugging Face datasets reads every value', () => {
  // It opens no data set without rows, whoever wrote it; beside other files such a file must not harm.
  const beside = `${pathOf('empty')},${pathOf('groups')}`;
  for (const [i, schema] of (check('datasets', [beside, expected(cases[0] as Case)]) ?? []).entries()) {
    assert.equal(
      schema,
      namesOf(cases[i]).map((name) => `${name}: List(Value('int32'))`),
    );
  }
});

test.run();
