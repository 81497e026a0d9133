import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LongDocuments, type PackedRows, type Packing, packDocuments } from '../../../rules/lib/pack.ts';
import { type LabelKind, labelsOf } from '../../../rules/lib/pack-labels.ts';
import { lineageOf } from '../../../rules/lib/pack-lineage.ts';
import type { PackInput } from '../../../rules/lib/pack-samples.ts';
import { columnsWith, type LabelledRows } from '../../../rules/lib/parquet/columns.ts';
import { decodeLineage } from '../../../src/rule/lineage.ts';
import {
  anyLabels,
  anyParts,
  anyShape,
  columnsOfRow,
  eosId,
  padId,
  part,
  rowsOfSamples,
  type Sample,
  type Shape,
} from './pack-reference.ts';

const test = suite('packing');

const pack = (shape: Partial<Shape> & { maxSeqLength: number }, ...parts: PackInput[]) =>
  packDocuments(parts, { packing: 'concat', longDocuments: 'split', eosId, padId, ...shape });
const concat = (maxSeqLength: number, ...parts: PackInput[]) => pack({ maxSeqLength }, ...parts);
const bestFit = (maxSeqLength: number, longDocuments: LongDocuments, ...parts: PackInput[]) =>
  pack({ maxSeqLength, packing: 'best-fit', longDocuments }, ...parts);
const packedParts = (given: readonly (readonly Sample[])[], shape: Shape) => pack(shape, ...given.map((samples) => part(...samples)));
const rowsIn = ({ ids, maxSeqLength, rows }: PackedRows): number[][] =>
  Array.from({ length: rows }, (_, row) => Array.from(ids.subarray(row * maxSeqLength, (row + 1) * maxSeqLength)));

test('concat: short documents share a row, a long one goes on in the next, the last row is padded', () => {
  const packed = concat(4, part([5, 6], [7]), part([8, 9, 10, 11, 12]));
  assert.equal(rowsIn(packed), [
    [5, 6, 0, 7],
    [0, 8, 9, 10],
    [11, 12, 0, 1],
  ]);
  assert.equal(Array.from(packed.realLengths), [4, 4, 3]);
  assert.equal(packed.counters, {
    documents: 3,
    documentsPacked: 3,
    documentsEmpty: 0,
    documentsSplit: 2,
    documentsTruncated: 0,
    tokensIn: 8,
    tokensAdded: 3,
    tokensPacked: 11,
    tokensTruncated: 0,
    tokensDropped: 0,
    tokensPadding: 1,
  });
});

test('best-fit: no document that fits is cut; rows stand in the order of their first documents, documents in theirs', () => {
  const packed = bestFit(8, 'split', part([20, 21], [30, 31, 32, 33, 34, 35]), part([40, 41, 42], [50]));
  assert.equal(rowsIn(packed), [
    [20, 21, 0, 40, 41, 42, 0, 1],
    [30, 31, 32, 33, 34, 35, 0, 1],
    [50, 0, 1, 1, 1, 1, 1, 1],
  ]);
  assert.is(packed.counters.documentsSplit, 0);
  assert.is(packed.counters.tokensPadding, 8);
});

test('best-fit: what leaves the least room wins, and of equal rooms the row that was filled last', () => {
  const filled = (length: number, id: number): number[] => [...new Array(length - 1).fill(id), eosId];
  const packed = bestFit(10, 'split', part(filled(7, 2), filled(6, 3), filled(6, 4), filled(4, 5), filled(3, 6)));
  assert.equal(
    rowsIn(packed).map((row) => [...new Set(row)].filter((id) => id > padId)),
    [[2, 6], [3], [4, 5]],
  );
});

test('best-fit: a document longer than a row is cut into full rows and a rest that goes where it fits', () => {
  const packed = bestFit(4, 'split', part([9, 0], [2, 3, 4, 5, 6, 7, 8, 9, 2]));
  assert.equal(rowsIn(packed), [
    [9, 0, 2, 0],
    [2, 3, 4, 5],
    [6, 7, 8, 9],
  ]);
  const { documentsSplit, documentsTruncated, tokensTruncated, tokensPadding } = packed.counters;
  assert.equal([documentsSplit, documentsTruncated, tokensTruncated, tokensPadding], [1, 0, 0, 0]);
});

test('best-fit: a truncated document fills its row, and no EOS is put where it does not end', () => {
  const packed = bestFit(4, 'truncate', part([9, 0], [2, 3, 4, 5, 6, 7], [2, 3, 4, 5], [6, 7, 8, 9, 0]));
  assert.equal(rowsIn(packed), [
    [9, 0, 1, 1],
    [2, 3, 4, 5],
    [2, 3, 4, 5],
    [6, 7, 8, 9],
  ]);
  const { tokensAdded, tokensTruncated, documentsTruncated, documentsSplit } = packed.counters;
  assert.equal(
    [tokensAdded, tokensTruncated, documentsTruncated, documentsSplit],
    [0, 3, 2, 0],
    'one that only lacks room for EOS is whole',
  );
});

test('a document that ends with EOS gets no second one, and one without tokens is counted and skipped', () => {
  for (const packing of ['concat', 'best-fit'] as const) {
    const packed = pack({ maxSeqLength: 8, packing }, part([5, 0], [], [0], [6]));
    assert.equal(Array.from(packed.ids), [5, 0, 0, 6, 0, 1, 1, 1]);
    assert.equal([packed.counters.documentsEmpty, packed.counters.documentsPacked, packed.counters.tokensAdded], [1, 3, 1]);
  }
});

test('windows of one document get no EOS but the last, and none is to predict the next', () => {
  const windows = [
    [5, 6, 7, 8],
    [7, 8, 9, 10],
    [9, 10, 11],
  ].map((tokens, i) => ({ tokens, goesOn: i < 2 }));
  const rows = rowsIn(bestFit(4, 'split', part(...windows, [12])));
  assert.equal(rows, [
    [5, 6, 7, 8],
    [7, 8, 9, 10],
    [9, 10, 11, 0],
    [12, 0, 1, 1],
  ]);
  const packed = concat(16, part(...windows, [12]));
  assert.equal(rowsIn(packed), [[5, 6, 7, 8, 7, 8, 9, 10, 9, 10, 11, 0, 12, 0, 1, 1]]);
  const labels = Array.from(labelsOf(packed, { labels: 'hf', acrossDocuments: true }));
  assert.equal(labels, [5, 6, 7, 8, -100, 8, 9, 10, -100, 10, 11, 0, 12, 0, -100, -100]);
});

test('no parts, or none with a token, give no row', () => {
  for (const packing of ['concat', 'best-fit'] as const) {
    for (const parts of [[], [part([], [])]]) {
      const packed = pack({ maxSeqLength: 4, packing }, ...parts);
      assert.equal([packed.rows, packed.ids.length, packed.realLengths.length, packed.spans.at.length], [0, 0, 0, 0]);
      assert.is(labelsOf(packed, { labels: 'shifted', acrossDocuments: false }).length, 0);
      assert.equal(decodeLineage(lineageOf(packed)).spanEnds.length, 0);
    }
  }
});

test('the ledger balances', () => {
  fc.assert(
    fc.property(anyParts, anyShape, (given, shape) => {
      const { counters, rows, realLengths } = packedParts(given, shape);
      assert.is(counters.tokensIn, given.flat().flatMap(({ tokens }) => tokens).length);
      assert.is(counters.documents, given.flat().length);
      assert.is(counters.documents, counters.documentsPacked + counters.documentsEmpty);
      assert.is(counters.tokensIn + counters.tokensAdded, counters.tokensPacked + counters.tokensTruncated + counters.tokensDropped);
      assert.is(rows * shape.maxSeqLength, counters.tokensPacked + counters.tokensPadding);
      assert.is(
        realLengths.reduce((sum, real) => sum + real, 0),
        counters.tokensPacked,
      );
      if (shape.packing === 'concat') assert.ok(counters.tokensPadding < shape.maxSeqLength);
      if (shape.longDocuments === 'split') assert.is(counters.tokensTruncated, 0);
    }),
  );
});

test('rows, their documents and what was cut are those of the specification', () => {
  fc.assert(
    fc.property(anyParts, anyShape, (given, shape) => {
      const packed = packedParts(given, shape);
      const expected = rowsOfSamples(given.flat(), shape);
      assert.equal(
        rowsIn(packed),
        expected.map((row) => columnsOfRow(row, shape, { kind: 'hf', acrossDocuments: true }).input_ids),
      );
      const pieces = expected.flat();
      const inRows = (sample: number): number => expected.filter((row) => row.some((piece) => piece.sample === sample)).length;
      const split = [...given.flat().keys()].filter((sample) => inRows(sample) > 1).length;
      const kept = (sample: number): number =>
        pieces.filter((piece) => piece.sample === sample).reduce((sum, { tokens }) => sum + tokens.length, 0);
      const truncated = given.flat().filter(({ tokens }, sample) => kept(sample) < tokens.length).length;
      assert.equal([packed.counters.documentsSplit, packed.counters.documentsTruncated], [split, truncated]);
    }),
    { numRuns: 300 },
  );
});

test('no document is split under best-fit that fits into a row, and no row could have gone into another', () => {
  fc.assert(
    fc.property(anyParts, fc.integer({ min: 2, max: 30 }), (given, maxSeqLength) => {
      const { counters, realLengths } = packedParts(given, { maxSeqLength, packing: 'best-fit', longDocuments: 'split' });
      const isTooLong = ({ tokens, goesOn }: Sample): boolean => tokens.length + (goesOn || tokens.at(-1) === eosId ? 0 : 1) > maxSeqLength;
      const tooLong = given.flat().filter(isTooLong).length;
      assert.is(counters.documentsSplit, tooLong);
      const [least = maxSeqLength, next = maxSeqLength] = Array.from(realLengths).sort((a, b) => a - b);
      assert.ok(least + next > maxSeqLength || realLengths.length < 2, `${least} and ${next} of ${maxSeqLength}`);
    }),
  );
});

test('a hundred thousand documents that share no row are packed, and so are as many that all do', () => {
  const count = 100_000;
  const lengths = new Uint32Array(count).fill(70);
  const large = bestFit(128, 'split', { lengths, ids: new Int32Array(70 * count).fill(7) });
  assert.equal([large.rows, large.counters.tokensPadding], [count, count * (128 - 71)]);
  const tiny = bestFit(1 << 20, 'split', { lengths: new Uint32Array(count).fill(9), ids: new Int32Array(9 * count).fill(7) });
  assert.equal([tiny.rows, tiny.realLengths[0]], [1, 10 * count]);
});

test('how documents are spread over parts does not change the rows', () => {
  fc.assert(
    fc.property(anyParts, anyShape, (given, shape) => {
      assert.equal(packedParts(given, shape), packedParts([given.flat()], shape));
    }),
  );
});

const valuesOf = (name: string, rows: LabelledRows): number[] => {
  const values = columnsWith(['position_ids', 'document_ids'])
    .find((column) => column.name === name)
    ?.values(rows);
  if (values instanceof Int32Array) return Array.from(values);
  const { values: said = [], lengths = [] } = values ?? {};
  return Array.from(said).flatMap((value, i) => new Array<number>(lengths[i] as number).fill(value));
};

test('every column is that of the specification', () => {
  fc.assert(
    fc.property(anyParts, anyShape, anyLabels, (given, shape, { kind, acrossDocuments }) => {
      const rows = { ...packedParts(given, shape), labels: kind, acrossDocuments };
      const expected = rowsOfSamples(given.flat(), shape).map((row) => columnsOfRow(row, shape, { kind, acrossDocuments }));
      for (const name of ['input_ids', 'attention_mask', 'labels', 'position_ids', 'document_ids'] as const) {
        assert.equal(
          valuesOf(name, rows),
          expected.flatMap((row) => row[name]),
          name,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('labels of rows that are padded in the middle of a group are those of the specification', () => {
  const packed = bestFit(3, 'split', part([5], [6, 7], [8]));
  assert.equal(rowsIn(packed), [
    [5, 0, 1],
    [6, 7, 0],
    [8, 0, 1],
  ]);
  const labels = (kind: LabelKind, acrossDocuments: boolean): number[] => Array.from(labelsOf(packed, { labels: kind, acrossDocuments }));
  assert.equal(labels('shifted', true), [0, -100, -100, 7, 0, -100, 0, -100, -100]);
  assert.equal(labels('hf', false), [5, 0, -100, 6, 7, 0, 8, 0, -100]);
});

test('a trainer that shifts hf labels learns what shifted labels say', () => {
  fc.assert(
    fc.property(anyParts, anyShape, fc.boolean(), (given, shape, acrossDocuments) => {
      const packed = packedParts(given, shape);
      const hf = Array.from(labelsOf(packed, { labels: 'hf', acrossDocuments }));
      const shiftedByTrainer = hf.map((_, i) => ((i + 1) % shape.maxSeqLength === 0 ? -100 : (hf[i + 1] as number)));
      assert.equal(shiftedByTrainer, Array.from(labelsOf(packed, { labels: 'shifted', acrossDocuments })));
    }),
  );
});

test('positions are 0 where a row begins, so that no token of it lies before the first document that they tell of', () => {
  const rows = { ...concat(4, part([5, 6, 7, 8, 9, 10])), labels: 'hf' as const, acrossDocuments: true };
  assert.equal(valuesOf('position_ids', rows), [0, 1, 2, 3, 0, 1, 2, 0]);
  assert.equal(valuesOf('document_ids', rows), [1, 1, 1, 1, 1, 1, 1, 0]);
});

test('the lineage tells which tokens of which samples stand in a row', () => {
  fc.assert(
    fc.property(anyParts, anyShape, (given, shape) => {
      const { spanEnds, inputRows, starts, lengths } = decodeLineage(lineageOf(packedParts(given, shape)));
      const spans = Array.from(inputRows, (row, i) => [row, starts[i], lengths[i]]);
      const found = Array.from(spanEnds, (end, row) => spans.slice(spanEnds[row - 1] ?? 0, end));
      const expected = rowsOfSamples(given.flat(), shape).map((row) =>
        row.map(({ sample, start, tokens }) => [sample, start, tokens.length]),
      );
      assert.equal(found, expected);
    }),
  );
});

test('options out of range are refused by name', () => {
  const refused = (options: Partial<Parameters<typeof packDocuments>[1]>, name: RegExp): void =>
    assert.throws(
      () => packDocuments([], { maxSeqLength: 4, packing: 'concat' as Packing, longDocuments: 'split', eosId, padId, ...options }),
      name,
    );
  refused({ maxSeqLength: 0 }, /maxSeqLength is 0/);
  refused({ maxSeqLength: 1.5 }, /maxSeqLength is 1.5/);
  refused({ eosId: -1 }, /eosId is -1/);
  refused({ padId: 2 ** 31 }, /padId is 2147483648/);
});

test.run();
