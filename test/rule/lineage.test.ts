import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeLineage, LineageBuilder } from '../../src/rule/lineage.ts';

const test = suite('lineage');

type Span = readonly [inputRow: number, start: number, length: number];

function encoded(rows: readonly (readonly Span[])[]): Uint8Array {
  const builder = new LineageBuilder();
  for (const spans of rows) {
    for (const span of spans) builder.span(...span);
    builder.endRow();
  }
  return builder.finish();
}

function decoded(bytes: Uint8Array): Span[][] {
  const { spanEnds, inputRows, starts, lengths } = decodeLineage(bytes);
  return Array.from(spanEnds, (end, row) => {
    const spans: Span[] = [];
    for (let i = row === 0 ? 0 : (spanEnds[row - 1] as number); i < end; i++)
      spans.push([inputRows[i] as number, starts[i] as number, lengths[i] as number]);
    return spans;
  });
}

const word = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 0xffffffff }));

test('gives back what was put in, in any order', () => {
  const row = fc.array(fc.tuple(word, fc.nat({ max: 0x7fffffff }), fc.nat({ max: 0x7fffffff })), { maxLength: 6 });
  fc.assert(fc.property(fc.array(row, { maxLength: 50 }), (rows) => assert.equal(decoded(encoded(rows)), rows)));
});

test('rows that are taken whole, one after the other, take a few bytes however many they are', () => {
  const builder = new LineageBuilder();
  for (let i = 0; i < 100_000; i++) builder.whole(i);
  const bytes = builder.finish();
  assert.ok(bytes.length < 40, String(bytes.length));
  assert.is(decodeLineage(bytes).inputRows[99_999], 99_999);
});

test('short documents that are packed one after another take about a byte each', () => {
  const builder = new LineageBuilder();
  const documents = 20_000;
  let room = 2048;
  for (let d = 0; d < documents; d++) {
    const length = 20 + ((d * 7919) % 90);
    const first = Math.min(length, room);
    builder.span(d, 0, first);
    room -= first;
    if (room > 0) continue;
    builder.endRow();
    if (length > first) builder.span(d, first, length - first);
    room = 2048 - (length - first);
  }
  builder.endRow();
  assert.ok(builder.finish().length < 1.2 * documents);
});

test('damaged bytes are refused, never misread into something else than a lineage', () => {
  const good = encoded([
    [[3, 0, 5]],
    [],
    [
      [3, 5, 2],
      [4, 0, 9],
    ],
  ]);
  for (let cut = 0; cut < good.length; cut++) assert.throws(() => decodeLineage(good.subarray(0, cut)), /damaged/);
  assert.throws(() => decodeLineage(new Uint8Array([...good, 0])), /damaged/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      assert.throws(() => decodeLineage(noise), /damaged/);
    }),
  );
});

test.run();
