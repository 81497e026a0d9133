import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LabelKind, labelsOf, type PackedRows, packDocuments } from '../../../rules/lib/pack.ts';
import type { Tokens } from '../../../rules/lib/tokens.ts';

const test = suite('packing');
const eosId = 0;
const padId = 1;

function part(...documents: number[][]): Tokens {
  return { lengths: Uint32Array.from(documents, (document) => document.length), ids: Int32Array.from(documents.flat()) };
}

const pack = (maxSeqLength: number, ...parts: Tokens[]) => packDocuments(parts, { maxSeqLength, eosId, padId });
const idsOf = (packed: PackedRows, labels: LabelKind, acrossDocuments: boolean): number[] =>
  Array.from(labelsOf(packed, { labels, acrossDocuments }));

/** Few ids, so that EOS and pad also occur inside documents and at their ends. */
const document = fc.array(fc.nat({ max: 4 }), { maxLength: 12 });
const parts = fc.array(fc.array(document, { maxLength: 6 }), { maxLength: 5 });
const length = fc.integer({ min: 1, max: 9 });
const withEos = (tokens: number[]): number[] => (tokens.at(-1) === eosId ? tokens : [...tokens, eosId]);

test('short documents share a row, a long one goes on in the next, the last row is padded', () => {
  const packed = pack(4, part([5, 6], [7]), part([8, 9, 10, 11, 12]));
  assert.equal(Array.from(packed.ids), [5, 6, 0, 7, 0, 8, 9, 10, 11, 12, 0, 1]);
  assert.equal(Array.from(packed.realLengths), [4, 4, 3]);
  assert.equal(Array.from(packed.documentEnds), [2, 4, 10]);
  assert.equal(packed.counters, {
    documents: 3,
    documentsPacked: 3,
    documentsEmpty: 0,
    tokensIn: 8,
    tokensAdded: 3,
    tokensPacked: 11,
    tokensTruncated: 0,
    tokensDropped: 0,
    tokensPadding: 1,
  });
});

test('a document that ends with EOS gets no second one, and one without tokens is counted and skipped', () => {
  const packed = pack(8, part([5, 0], [], [0], [6]));
  assert.equal(Array.from(packed.ids), [5, 0, 0, 6, 0, 1, 1, 1]);
  assert.equal([packed.counters.documentsEmpty, packed.counters.documentsPacked, packed.counters.tokensAdded], [1, 3, 1]);
});

test('no parts, or none with a token, give no row', () => {
  for (const packed of [pack(4), pack(4, part([], []))]) {
    assert.equal([packed.rows, packed.ids.length, packed.realLengths.length, packed.documentEnds.length], [0, 0, 0, 0]);
    assert.is(labelsOf(packed, { labels: 'shifted', acrossDocuments: false }).length, 0);
  }
});

test('the ledger balances', () => {
  fc.assert(
    fc.property(parts, length, (given, maxSeqLength) => {
      const { counters, rows, realLengths } = pack(maxSeqLength, ...given.map((documents) => part(...documents)));
      const tokensIn = given.flat(2).length;
      assert.is(counters.tokensIn, tokensIn);
      assert.is(counters.documents, given.flat().length);
      assert.is(counters.documents, counters.documentsPacked + counters.documentsEmpty);
      assert.is(counters.tokensIn + counters.tokensAdded, counters.tokensPacked + counters.tokensTruncated + counters.tokensDropped);
      assert.is(rows * maxSeqLength, counters.tokensPacked + counters.tokensPadding);
      assert.is(
        realLengths.reduce((sum, real) => sum + real, 0),
        counters.tokensPacked,
      );
      assert.ok(counters.tokensPadding < maxSeqLength);
    }),
  );
});

test('unpacking gives the documents back, each ended by EOS', () => {
  fc.assert(
    fc.property(parts, length, (given, maxSeqLength) => {
      const packed = pack(maxSeqLength, ...given.map((documents) => part(...documents)));
      const starts = [0, ...Array.from(packed.documentEnds, (end) => end + 1)];
      const unpacked = Array.from(packed.documentEnds, (end, d) => Array.from(packed.ids.slice(starts[d], end + 1)));
      const documents = given.flat().filter((tokens) => tokens.length > 0);
      assert.equal(unpacked, documents.map(withEos));
      assert.ok(packed.ids.slice(starts.at(-1)).every((id) => id === padId));
    }),
  );
});

test('how documents are spread over parts does not change the rows', () => {
  fc.assert(
    fc.property(parts, length, (given, maxSeqLength) => {
      const apart = pack(maxSeqLength, ...given.map((documents) => part(...documents)));
      assert.equal(apart, pack(maxSeqLength, part(...given.flat())));
    }),
  );
});

/** Row by row and word by word, from the specification. */
function expectedLabels(packed: PackedRows, kind: LabelKind, acrossDocuments: boolean): number[] {
  const ends = new Set(packed.documentEnds);
  return Array.from(packed.ids, (id, i) => {
    const row = Math.floor(i / packed.maxSeqLength);
    const column = i % packed.maxSeqLength;
    const real = packed.realLengths[row] as number;
    if (kind === 'shifted') {
      const known = column + 1 < real && (acrossDocuments || !ends.has(i));
      return known ? (packed.ids[i + 1] as number) : -100;
    }
    const known = column < real && (acrossDocuments || column === 0 || !ends.has(i - 1));
    return known ? id : -100;
  });
}

test('labels are those of the specification', () => {
  fc.assert(
    fc.property(parts, length, fc.constantFrom<LabelKind>('shifted', 'hf'), fc.boolean(), (given, maxSeqLength, kind, across) => {
      const packed = pack(maxSeqLength, ...given.map((documents) => part(...documents)));
      assert.equal(idsOf(packed, kind, across), expectedLabels(packed, kind, across));
    }),
  );
});

test('labels of rows that are padded in the middle of a group are those of the specification', () => {
  const packed: PackedRows = {
    rows: 3,
    maxSeqLength: 3,
    ids: Int32Array.of(5, 0, 1, 6, 7, 0, 8, 1, 1),
    realLengths: Uint32Array.of(2, 3, 1),
    documentEnds: Uint32Array.of(1, 5, 6),
  };
  assert.equal(idsOf(packed, 'shifted', true), [0, -100, -100, 7, 0, -100, -100, -100, -100]);
  assert.equal(idsOf(packed, 'hf', false), [5, 0, -100, 6, 7, 0, 8, -100, -100]);
});

test('a trainer that shifts hf labels learns what shifted labels say', () => {
  fc.assert(
    fc.property(parts, length, fc.boolean(), (given, maxSeqLength, across) => {
      const packed = pack(maxSeqLength, ...given.map((documents) => part(...documents)));
      const hf = idsOf(packed, 'hf', across);
      const shiftedByTrainer = hf.map((_, i) => ((i + 1) % maxSeqLength === 0 ? -100 : (hf[i + 1] as number)));
      assert.equal(shiftedByTrainer, idsOf(packed, 'shifted', across));
    }),
  );
});

test('options out of range are refused by name', () => {
  const refused = (options: Partial<Parameters<typeof packDocuments>[1]>, name: RegExp): void =>
    assert.throws(() => packDocuments([], { maxSeqLength: 4, eosId, padId, ...options }), name);
  refused({ maxSeqLength: 0 }, /maxSeqLength is 0/);
  refused({ maxSeqLength: 1.5 }, /maxSeqLength is 1.5/);
  refused({ eosId: -1 }, /eosId is -1/);
  refused({ padId: 2 ** 31 }, /padId is 2147483648/);
});

test.run();
