import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkRows, type RowsExpected } from '../../../rules/lib/check-rows.ts';
import { type Packing, packDocuments } from '../../../rules/lib/pack.ts';
import { ShardReader } from '../../../rules/lib/parquet/read-shard.ts';
import { type Finding, Findings } from '../../../src/rule/check.ts';
import { part } from './pack-reference.ts';
import { codecNames, columnsOf, fileOf, partOf, randomIds, rowsOf, shifted } from './parquet-rows.ts';

const test = suite('looking at the rows of a shard');

const folder = mkdtempSync(join(tmpdir(), 'dsbuild-check-rows-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

async function withReader<T>(file: Uint8Array, use: (reader: ShardReader) => Promise<T>): Promise<T> {
  const path = join(folder, 'shard.parquet');
  writeFileSync(path, file);
  const reader = new ShardReader(path);
  try {
    return await use(reader);
  } finally {
    reader.close();
  }
}

test('its reader finds in every column what was written, in any shape and codec', async () => {
  const shape = fc.record({
    maxSeqLength: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 200 })),
    groups: fc.array(
      fc.record({
        rows: fc.integer({ min: 1, max: 40 }),
        below: fc.constantFrom(1, 2, 3, 300, 70_000, 1 << 22, 0x7fffffff),
        seed: fc.integer({ min: 1 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    codec: fc.constantFrom(...codecNames),
    labels: fc.constantFrom('shifted' as const, 'hf' as const),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ maxSeqLength, groups, ...more }) => {
      const options = { ...shifted, ...more };
      const rows = groups.map(({ rows: count, ...given }) => rowsOf(randomIds(count * maxSeqLength, given), { maxSeqLength }));
      await withReader(fileOf(rows.map((one) => partOf(one, options))), async (reader) => {
        assert.is(
          reader.rows,
          groups.reduce((sum, group) => sum + group.rows, 0),
        );
        for (const [name, values] of Object.entries(columnsOf(rows, options))) {
          const found = await Promise.all(reader.groups.map((group) => reader.column(group, name)));
          assert.equal(
            found.flatMap((column) => [...column]),
            [...values],
          );
        }
      });
    }),
    { numRuns: 60 },
  );
});

const [eosId, bos, padId] = [1, 2, 0];
const maxSeqLength = 8;

interface Given {
  readonly packing?: Packing;
  readonly acrossDocuments?: boolean;
  /** Packed with this EOS, and looked at as if `eosId` were it. */
  readonly packedEos?: number;
  readonly sequences?: number;
}

async function findingsOf(groups: readonly (readonly number[][])[], given: Given = {}): Promise<readonly Finding[]> {
  const { packing = 'concat', acrossDocuments = true, packedEos = eosId } = given;
  const packed = groups.map((documents) =>
    packDocuments([part(...documents)], { maxSeqLength, eosId: packedEos, padId, packing, longDocuments: 'split' }),
  );
  const sequences = given.sequences ?? packed.reduce((sum, { rows }) => sum + rows, 0);
  const expected: RowsExpected = { sequences, maxSeqLength, eosId, isStream: packing === 'concat', isCut: false };
  const findings = new Findings();
  const file = fileOf(packed.map((rows) => partOf(rows, { codec: 'snappy', labels: 'shifted', acrossDocuments })));
  await withReader(file, (reader) => checkRows(reader, expected, findings));
  return findings.checked.findings;
}

const documents = (count: number, head: readonly number[] = [bos]): number[][] =>
  Array.from({ length: count }, (_, i) => [...head, 10 + i, 11 + i, eosId]);

for (const packing of ['concat', 'best-fit'] as const) {
  test(`sound rows of ${packing} give no finding`, async () => {
    assert.equal(await findingsOf([documents(9), documents(30)], { packing }), []);
    assert.equal(await findingsOf([documents(9, [])], { packing }), []);
    // One document longer than a row, and rows that begin within it.
    assert.equal(await findingsOf([[[bos, ...Array(40).fill(7), eosId], ...documents(5)]], { packing }), []);
  });
}

test('documents that begin with two BOS are counted, and the first has its row', async () => {
  const some = documents(20).map((ids, i) => (i === 7 || i === 12 ? [bos, ...ids] : ids));
  const [found, ...others] = await findingsOf([some]);
  assert.equal(others, []);
  assert.is(found?.code, 'double-bos');
  assert.is(found?.count, 2);
  // Seven documents of four tokens stand before it.
  assert.is(found?.row, Math.floor((7 * 4) / maxSeqLength));
});

test('two equal tokens at the head of a document are no BOS where other documents begin with others', async () => {
  assert.equal(await findingsOf([Array.from({ length: 20 }, (_, i) => [i + 5, i + 5, 3, eosId])]), []);
});

test('a second BOS in the next row is found as well', async () => {
  const filler = [bos, 9, 9, 9, 9, eosId];
  const [found] = await findingsOf([
    [filler, [bos, 9, eosId].slice(0, 1).concat(eosId).slice(0, 1).concat([bos, 9, eosId]), ...documents(6)],
  ]);
  assert.is(found?.code, 'double-bos');
  assert.is(found?.row, 0);
});

test('rows whose documents end with no EOS are found, and a row group that ends without one', async () => {
  const withoutEos = documents(10).map((ids) => ids.slice(0, -1));
  assert.equal(
    (await findingsOf([withoutEos], { packedEos: 3 })).map(({ code, row }) => [code, row]),
    [['missing-eos', 0]],
  );
  const lastWithout = [...documents(9), [bos, 5, 6, 7, 8]];
  assert.equal(
    (await findingsOf([lastWithout], { packedEos: 8 })).map(({ code }) => code),
    ['missing-eos'],
  );
});

test('a row without one label that counts is found; a row of one token is none', async () => {
  const empty = Array.from({ length: maxSeqLength }, () => [eosId]);
  const found = await findingsOf([[...documents(4), ...empty]], { acrossDocuments: false });
  assert.equal(
    found.map(({ code, row, count }) => [code, row, count]),
    [['masked-row', 2, 1]],
  );
  assert.equal(await findingsOf([[[bos, 3, 4, 5, 6, 7, 8, eosId], [eosId]]], { acrossDocuments: false }), []);
});

test('another number of rows than the file was made of is found', async () => {
  assert.equal(
    (await findingsOf([documents(9)], { sequences: 77 })).map(({ code, row }) => [code, row]),
    [['row-count', undefined]],
  );
});

test.run();
