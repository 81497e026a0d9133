import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawn } from '../../src/base/draw.ts';

const test = suite('draw');

test('numbers are below the total, rising, each once, as many as asked, and the same for a seed', () => {
  const totals = fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 2 ** 40 }));
  fc.assert(
    fc.property(totals, fc.nat({ max: 60 }), fc.nat({ max: 2 ** 50 }), (total, count, seed) => {
      if (count >= total && total > 50) return;
      const found = drawn(total, count, seed);
      assert.is(found.length, Math.min(total, count));
      for (const [i, number] of found.entries()) assert.ok(number < total && number > (found[i - 1] ?? -1));
      assert.equal(drawn(total, count, seed), found);
    }),
  );
});

test('every machine draws the same', () => {
  assert.equal(drawn(1000, 5, 1), [294, 361, 529, 925, 958]);
  assert.equal(drawn(2 ** 45, 2, 7), [9_601_544_040_077, 17_128_209_468_799]);
});

test('each number is as likely as any other, and each pair too', () => {
  const rounds = 20_000;
  const singles = new Map<number, number>();
  const pairs = new Map<string, number>();
  for (let seed = 0; seed < rounds; seed++) {
    const found = drawn(6, 2, seed);
    for (const number of found) singles.set(number, (singles.get(number) ?? 0) + 1);
    pairs.set(found.join(), (pairs.get(found.join()) ?? 0) + 1);
  }
  // Sums of squares over what is expected; the bounds are passed by chance once in a thousand.
  const chiSquare = (counts: readonly number[], expected: number): number =>
    counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.is(pairs.size, 15);
  assert.ok(chiSquare([...pairs.values()], rounds / 15) < 36.1);
  assert.ok(chiSquare([...singles.values()], rounds / 3) < 20.5);
});

test.run();
