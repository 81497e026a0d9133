import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordHash, recordHashAt, recordHashOfLong } from '../../src/base/record-hash.ts';

const test = suite('record hash');

/** Bytes that any language can make again: 0, 7, 14 ... modulo 251. */
const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) % 251);

const mask = 0xffffffffn;
const finishSlowly = (hash: bigint): bigint => {
  let h = hash & mask;
  h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
  h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
  return h ^ (h >> 16n);
};

/** The definition written once more, word for word and in big integers. */
function hashSlowly(record: Uint8Array): number {
  const n = record.length;
  const step = Math.floor((n - 8) / 16);
  const parts = [
    record.slice(0, 64),
    ...Array.from({ length: 15 }, (_, i) => record.slice((i + 1) * step, (i + 1) * step + 8)),
    record.slice(n - 64),
  ];
  const seen = n <= 256 ? record : Uint8Array.from(parts.flatMap((part) => [...part]));
  let [a, b] = [0x85ebca77n, 0x9e3779b1n];
  const word = (at: number): bigint =>
    BigInt(seen[at] ?? 0) | (BigInt(seen[at + 1] ?? 0) << 8n) | (BigInt(seen[at + 2] ?? 0) << 16n) | (BigInt(seen[at + 3] ?? 0) << 24n);
  const shiftMix = (h: bigint): bigint => {
    const signed = BigInt.asIntN(32, h);
    return BigInt.asUintN(32, signed ^ (BigInt.asUintN(32, signed) >> 15n));
  };
  let at = 0;
  for (; at + 8 <= seen.length; at += 8) {
    a = shiftMix(((a ^ word(at)) * 0x9e3779b1n) & mask);
    b = shiftMix(((b ^ word(at + 4)) * 0x85ebca77n) & mask);
  }
  const rest = new Uint8Array(8);
  rest.set(seen.slice(at));
  const tail = new DataView(rest.buffer);
  a ^= BigInt(tail.getUint32(0, true));
  b ^= BigInt(tail.getUint32(4, true));
  return Number(finishSlowly(((finishSlowly(a ^ BigInt(n)) * 0x9e3779b1n) & mask) ^ finishSlowly(b)));
}

const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 250, maxLength: 5000 }));

test('the hash of these records is the same for ever', () => {
  const lengths = [0, 1, 3, 4, 7, 8, 9, 64, 255, 256, 257, 1000, 100_000];
  assert.equal(
    lengths.map((length) => recordHash(counted(length))),
    [
      275489515, 2715106203, 839524749, 79434150, 3884244539, 1780648856, 3477747878, 1806113045, 2407299881, 126474589, 206326557,
      804040909, 672231493,
    ],
  );
  assert.is(recordHash(Buffer.from('{"text":"a line"}\n')), 2569942085);
});

test('the hash follows its definition', () => {
  fc.assert(
    fc.property(bytes, (record) => assert.is(recordHash(record), hashSlowly(record))),
    { numRuns: 1000 },
  );
});

test('the hash does not depend on where in memory the record lies', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 17 }), (record, before) => {
      const memory = new Uint8Array(before + record.length + 9).fill(0xaa);
      memory.set(record, before);
      const view = new DataView(memory.buffer);
      assert.is(recordHashAt(view, before, before + record.length), recordHash(record));
      assert.is(recordHash(memory.subarray(before, before + record.length)), recordHash(record));
    }),
  );
});

test('a record that is read piece by piece has the same hash', () => {
  fc.assert(
    fc.property(bytes, (record) => {
      const read = (offset: number, count: number): Uint8Array => record.slice(offset, offset + count);
      assert.is(recordHashOfLong(record.length, read), recordHash(record));
    }),
  );
});

test('any byte of a short record decides', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 256 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (record, place, change) => {
      const edited = record.slice();
      const at = place % record.length;
      edited[at] = (edited[at] as number) ^ change;
      assert.is.not(recordHash(edited), recordHash(record));
    }),
    { seed: 1 },
  );
});

test('the length, the first 64 and the last 64 bytes of a long record decide', () => {
  const record = counted(5000);
  const edit = (at: number): number => recordHash(record.map((byte, i) => (i === at ? byte ^ 1 : byte)));
  for (const at of [0, 63, 4936, 4999]) assert.is.not(edit(at), recordHash(record));
  assert.is(edit(64), recordHash(record), 'a byte that is not in the sample');
  assert.is.not(recordHash(new Uint8Array(5000)), recordHash(new Uint8Array(5001)));
});

test('records that differ by a counter spread over all 32 bits', () => {
  const hashes = Array.from({ length: 4096 }, (_, i) => recordHash(Buffer.from(`{"id":${i}}\n`)));
  for (let bit = 0; bit < 32; bit++) {
    const set = hashes.filter((hash) => (hash >>> bit) & 1).length;
    assert.ok(Math.abs(set - 2048) < 200, `bit ${bit} is set in ${set} of 4096`);
  }
  assert.ok(new Set(hashes).size > 4090);
});

test.run();
