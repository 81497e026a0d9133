import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { Statistics } from '../../src/rule/statistics.ts';

const test = suite('statistics');

test('ids and counts come back as they were written, also counts past 32 bits', () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.nat({ max: 300_000 }), fc.integer({ min: 1, max: 2 ** 50 })), { selector: ([id]) => id });
  fc.assert(
    fc.property(pairs, (seen) => {
      const statistics = new Statistics();
      for (const [id, count] of seen) statistics.vocabulary.add(id, count);
      const read = new Statistics();
      read.merge(statistics.encode());
      assert.equal(
        [...read.vocabulary.entries()],
        [...seen].sort(([a], [b]) => a - b),
      );
      assert.is(read.vocabulary.used, seen.length);
    }),
  );
});

test('equal statistics have equal bytes, in whatever order they were counted', () => {
  const count = (order: readonly (() => void)[]): void => order.forEach((step) => void step());
  const [one, other] = [new Statistics(), new Statistics()];
  const steps = (statistics: Statistics) => [
    () => statistics.count('tokensReal', 3),
    () => statistics.count('tokensMasked', 1),
    () => statistics.of('fillPercent').add(90),
    () => statistics.of('documentsPerSequence').add(2),
    () => statistics.vocabulary.addAll(Int32Array.of(5, 3, 5)),
  ];
  count(steps(one));
  count(steps(other).reverse());
  assert.equal(one.encode(), other.encode());
});

test('damaged statistics are told from sound ones', () => {
  const damaged = ['', '{}\n', 'x\n', '{"statistics":2,"amounts":{},"histograms":{}}\n', JSON.stringify({ statistics: 1 })];
  for (const text of damaged) {
    assert.throws(
      () => new Statistics().merge(Buffer.from(text)),
      (error: unknown) => error instanceof BuildError && error.code === 'bad-part',
    );
  }
});

test.run();
