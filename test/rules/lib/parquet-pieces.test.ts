import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bitsFor, packBits } from '../../../rules/lib/parquet/bits.ts';
import { ByteSink } from '../../../rules/lib/parquet/bytes.ts';
import { pageCodec } from '../../../rules/lib/parquet/codecs.ts';
import type { Codec } from '../../../rules/lib/parquet/format.ts';
import { snappyBytesMax, snappyCompress } from '../../../rules/lib/parquet/snappy.ts';
import { type ThriftStruct, writeStruct } from '../../../rules/lib/parquet/thrift.ts';
import { runsEncoding } from '../../../rules/lib/parquet/values.ts';
import { randomIds } from './parquet-rows.ts';

const test = suite('parquet pieces');

function compressed(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(snappyBytesMax(input.length));
  return output.slice(0, snappyCompress(input, output));
}

function checkSnappy(input: Uint8Array): void {
  const packed = compressed(input);
  assert.ok(packed.length <= snappyBytesMax(input.length));
  const output = new Uint8Array(input.length);
  snappyUncompress(packed, output);
  assert.ok(Buffer.compare(output, input) === 0, `${input.length} bytes come back`);
}

test('a decompressor gives back what was compressed, from any address', () => {
  const pieces = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(pieces, fc.nat({ max: 3 }), (repeated, skipped) => {
      const bytes = Buffer.concat(repeated.flatMap(([piece, times]) => Array.from({ length: times }, () => piece)));
      checkSnappy(new Uint8Array(bytes).subarray(Math.min(skipped, bytes.length - 1)));
    }),
  );
});

test('every length of a repetition and of what lies before it is written right', () => {
  for (let length = 1; length < 150; length++) {
    const unique = Uint16Array.from({ length }, (_, i) => 1000 + i * 7);
    for (const repeat of [length, length + 40]) {
      const halves = new Uint16Array(length + repeat + 1).fill(9);
      halves.set(unique);
      halves.set(unique, repeat);
      checkSnappy(new Uint8Array(halves.buffer));
    }
  }
});

test('a repetition is referred to at every distance that the format can write, and not beyond', () => {
  const block = Uint16Array.of(11, 12, 13, 14, 15);
  for (const far of [6, 1022, 1023, 1024, 1025, 1026, 32_766, 32_767, 32_768, 32_769, 50_000]) {
    const halves = new Uint16Array(far + block.length);
    halves.set(block);
    halves.set(block, far);
    checkSnappy(new Uint8Array(halves.buffer));
  }
});

test('literals of all four sizes are written right', () => {
  for (const size of [1, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 1 << 18]) {
    checkSnappy(new Uint8Array(randomIds(Math.ceil(size / 4), { seed: size, below: 0x7fffffff }).buffer).subarray(0, size));
  }
});

test('what repeats becomes small, what does not grows by a few bytes', () => {
  assert.ok(compressed(new Uint8Array(1 << 20)).length < 60_000);
  const random = new Uint8Array(randomIds(1 << 18, { seed: 5, below: 0x7fffffff }).buffer);
  assert.ok(compressed(random).length < random.length + 64);
});

test('places are packed least significant bit first, at every width', () => {
  const places = fc.integer({ min: 1, max: 20 }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      values: fc.array(fc.nat({ max: 2 ** Math.min(width, 12) - 1 }), { minLength: 1, maxLength: 50 }),
    }),
  );
  const shift = 1 << 8;
  const slots = Int32Array.from({ length: 1 << 12 }, (_, i) => i);
  fc.assert(
    fc.property(places, ({ width, values }) => {
      const target = new Uint8Array(Math.ceil(values.length / 8) * width).fill(0xff);
      packBits(
        Int32Array.from(values, (value) => value - shift),
        target,
        { slots, min: -shift, width },
      );
      const bits = values
        .map((value) => value.toString(2).padStart(width, '0'))
        .reverse()
        .join('');
      const expected = BigInt(`0b${bits}`);
      const seen = target.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      assert.is(seen, expected);
    }),
  );
});

test('as many bits are taken as the last place needs, and one at least', () => {
  assert.equal([1, 2, 3, 4, 5, 256, 257, 65_536, 65_537].map(bitsFor), [1, 1, 2, 2, 3, 8, 9, 16, 17]);
});

test('runs are cut where a page begins and ends', () => {
  const { dictionary, page } = runsEncoding({ values: Int32Array.of(7, -1, 7), lengths: Uint32Array.of(4, 4, 4) });
  assert.equal(dictionary, Int32Array.of(-1, 7));
  const bytes = (from: number, to: number): number[] => Array.from(page(from, to).prefix);
  assert.equal(
    [bytes(0, 12), bytes(4, 10), bytes(2, 4)],
    [
      [1, 8, 1, 8, 0, 8, 1],
      [1, 8, 0, 4, 1],
      [1, 4, 1],
    ],
  );
});

test('varints hold every whole number up to 2^53', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const sink = new ByteSink(1);
      sink.varint(value);
      const seen = sink.view().reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
      assert.is(seen, BigInt(value));
      assert.equal(
        Array.from(sink.view(), (byte) => byte >= 0x80),
        Array.from(sink.view(), (_, i) => i < sink.length - 1),
      );
    }),
  );
});

test('structs are written as the compact protocol says', () => {
  const hex = (fields: (struct: ThriftStruct) => void): string => {
    const sink = new ByteSink();
    writeStruct(sink, fields);
    return Buffer.from(sink.view()).toString('hex');
  };
  assert.is(
    hex((s) => s.i32(1, 1).i32(3, -1)),
    '1502' + '2501' + '00',
  );
  assert.is(
    hex((s) => s.i64(2, 2 ** 40)),
    '26808080808040' + '00',
  );
  assert.is(
    hex((s) => s.binary(4, 'ab').struct(5, (t) => t.i32(1, 0))),
    '48026162' + '1c150000' + '00',
  );
  assert.is(
    hex((s) => s.i32s(1, [1, 2]).strings(2, ['x'])),
    '19250204' + '19180178' + '00',
  );
  assert.is(
    hex((s) => s.i32s(1, new Array(15).fill(0))),
    `19f50f${'00'.repeat(15)}00`,
  );
  assert.throws(() => hex((s) => s.i32(2, 0).i32(2, 0)), /field 2 can not follow field 2/);
});

test('an unknown codec is refused with the names of those there are', async () => {
  const error = await pageCodec('lzo' as Codec).then(
    () => undefined,
    (reason: { code: string; hint: string }) => reason,
  );
  assert.is(error?.code, 'bad-params');
  assert.match(error?.hint as string, /none, snappy, zstd/);
});

test.run();
