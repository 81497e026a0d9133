import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DigestColumn,
  decodeLineageTable,
  digestAt,
  encodeLineageTable,
  formAt,
  formByte,
  isMainAt,
  type LineageTable,
} from '../../src/engine/lineage-table.ts';
import { forms } from '../../src/rule/part.ts';

const test = suite('lineage table');

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const words = fc.uint32Array({ maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 30 });

const tables: fc.Arbitrary<LineageTable> = fc.record({
  about: fc.record({
    inputs: fc.array(fc.record({ digest, parts: fc.nat() }), { maxLength: 3 }),
    chunks: fc.nat(),
    list: digest,
    outputs: fc.constant(['kept', 'rejected']),
    stepNames: fc.array(fc.string(), { maxLength: 3 }),
    sideNames: fc.array(fc.string(), { maxLength: 3 }),
  }),
  steps: bytes,
  inputEnds: words,
  partEnds: words,
  inputs: words,
  partDigests: bytes,
  partForms: bytes,
  partRows: words,
  sideSteps: words,
  sides: bytes,
  sideDigests: bytes,
  fileDigests: bytes,
  otherDigests: bytes,
  outputs: fc.tuple(words, words),
});

const encoded = (table: LineageTable): Uint8Array<ArrayBuffer> => new Uint8Array(encodeLineageTable(table));

/** Without what only generators of values have. */
const plain = (table: LineageTable): LineageTable => ({ ...table, about: structuredClone(table.about) });

test('gives back what was put in', () => {
  fc.assert(fc.property(tables, (table) => assert.equal(decodeLineageTable(encoded(table)), plain(table))));
});

test('is read from the middle of a buffer as well', () => {
  const [table] = fc.sample(tables, 1) as [LineageTable];
  const file = encoded(table);
  const around = new Uint8Array(file.length + 16);
  around.set(file, 8);
  assert.equal(decodeLineageTable(around.subarray(8, 8 + file.length)), plain(table));
});

test('a table of which one bit is another, or that was cut short, is none', () => {
  fc.assert(
    fc.property(tables, fc.nat(), fc.nat({ max: 7 }), (table, at, bit) => {
      const file = encoded(table);
      const flipped = file.slice();
      flipped[at % file.length] = (flipped[at % file.length] as number) ^ (1 << bit);
      assert.is(decodeLineageTable(flipped), undefined);
      assert.is(decodeLineageTable(file.slice(0, at % file.length)), undefined);
    }),
  );
});

test('a digest column gives the digests by their places, however many they are', () => {
  const column = new DigestColumn();
  const digests = Array.from({ length: 100 }, (_, i) => i.toString(16).padStart(64, '0'));
  assert.equal(
    digests.map((one) => column.push(one)),
    digests.map((_, i) => i),
  );
  const block = column.finish();
  assert.equal(
    digests.map((_, i) => digestAt(block, i)),
    digests,
  );
});

test('a byte holds the form of a part and whether it is of the first output', () => {
  for (const form of forms) {
    for (const isMain of [true, false]) {
      const table = { partForms: Uint8Array.of(formByte(form, isMain)) } as unknown as LineageTable;
      assert.equal([formAt(table, 0), isMainAt(table, 0)], [form, isMain]);
    }
  }
});

test.run();
