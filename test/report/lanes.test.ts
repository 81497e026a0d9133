import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { layOut } from '../../src/report/lanes.ts';

const test = suite('lanes');

const anySpans = fc.array(
  fc
    .record({ start: fc.integer({ min: 0, max: 2000 }), took: fc.integer({ min: 0, max: 300 }) })
    .map(({ start, took }) => ({ start, end: start + took })),
  { maxLength: 60 },
);

test('no two spans of a lane overlap, each keeps its length, and none is moved far', () => {
  fc.assert(
    fc.property(anySpans, (spans) => {
      const laid = layOut(spans);
      assert.is(laid.length, spans.length);
      const lanes = new Map<number, { start: number; end: number }[]>();
      for (const { of, lane, start, end } of laid) {
        assert.is(end - start, of.end - of.start);
        assert.ok(end <= of.end && of.end - end <= 50);
        lanes.set(lane, [...(lanes.get(lane) ?? []), { start, end }]);
      }
      for (const lane of lanes.values()) {
        const sorted = lane.sort((a, b) => a.start - b.start || a.end - b.end);
        for (const [i, span] of sorted.entries()) assert.ok(i === 0 || span.start >= (sorted[i - 1]?.end ?? 0));
      }
      assert.equal(
        [...lanes.keys()].sort((a, b) => a - b),
        Array.from({ length: lanes.size }, (_, i) => i),
      );
    }),
  );
});

test('long spans take as many lanes as run at once, small ones that are reported together take one', () => {
  const long = [0, 100, 200, 300].flatMap((start) => [
    { start, end: start + 100 },
    { start, end: start + 100 },
  ]);
  assert.is(Math.max(...layOut(long).map(({ lane }) => lane)), 1);
  const together = Array.from({ length: 16 }, () => ({ start: 99, end: 100 }));
  assert.is(Math.max(...layOut(together).map(({ lane }) => lane)), 0);
});

test.run();
