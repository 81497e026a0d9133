import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cut, Cutter, cutAll, cutSalts, mix } from '../../src/base/cut.ts';
import { exponential, exponentialUnit } from '../../src/base/exponential.ts';
import { numbers } from '../source/files.ts';

const test = suite('cut rule');

const target = 8192;

interface Item {
  weight: number;
  u: number;
}

function someItems(count: number, seed: number, weightMax = 400): Item[] {
  const next = numbers(seed);
  return Array.from({ length: count }, () => ({ weight: 1 + (next() % weightMax), u: next() }));
}

function cutsOf(items: readonly Item[], size = target): Cut[] {
  const cutter = new Cutter(size);
  const cuts: Cut[] = [];
  const take = (): void => {
    for (let cut = cutter.take(); cut; cut = cutter.take()) cuts.push(cut);
  };
  for (const item of items) {
    if (cutter.push(item.weight, item.u)) take();
  }
  const last = cutter.end();
  return last ? [...cuts, last] : cuts;
}

const endsOf = (items: readonly Item[], size = target): number[] =>
  cutAll(
    items.map((item) => item.weight),
    items.map((item) => item.u),
    size,
  );

const sum = (items: readonly Item[]): number => items.reduce((total, item) => total + item.weight, 0);

/** Where the run that begins at item `from` ends, and how many items were looked at: the rule as it is told, run for one run alone. */
function slowRun(items: readonly Item[], from: number, size: number): { end: number; looked: number } {
  const rate = (total: number): number => (total < size ? exponentialUnit / (4 * size) : (4 * exponentialUnit) / size);
  const lastSolid = (before: number): number => items.slice(0, before).findLastIndex((item) => item.weight > 0) + 1;
  let total = 0;
  let best: { end: number; key: number } | undefined;
  for (let i = from; i < items.length; i++) {
    const { weight, u } = items[i] as Item;
    if (total > 0 && total + weight > 2 * size && (weight > 2 * size || !best)) return { end: lastSolid(i), looked: i + 1 };
    total += weight;
    if (weight === 0 || total < size / 2) continue;
    const key = exponential(u) / weight;
    if (total > 2 * size) return { end: best?.end ?? i + 1, looked: i + 1 };
    if (key <= rate(total)) return { end: i + 1, looked: i + 1 };
    if (!best || key < best.key) best = { end: i + 1, key };
  }
  return { end: items.length, looked: items.length };
}

function slowCuts(items: readonly Item[], size: number): { end: number; looked: number }[] {
  const runs = [];
  for (let at = 0; at < items.length; ) {
    const run = slowRun(items, at, size);
    runs.push(run);
    at = run.end;
  }
  return runs;
}

const u = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0x7fffffff, 0xfffffffe, 0xffffffff));
const weight = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 900 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 40_000 }) },
);
const randomItems = fc.array(fc.record({ weight, u }), { maxLength: 400 });
const dullItems = fc
  .tuple(fc.array(fc.record({ weight, u }), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 400 }))
  .map(([period, times]) => Array.from({ length: times }, (_, i) => period[i % period.length] as Item));
const anyItems = fc.oneof(randomItems, dullItems);

test('these items are cut at these places for ever', () => {
  assert.equal(endsOf(someItems(400, 7)), [36, 60, 100, 157, 214, 259, 306, 327, 377, 400]);
  assert.equal(
    [0, 1, 2, 1000, 0x7fffffff, 0x80000000, 0xdeadbeef, 0xfffffff0, 0xffffffff].map(exponential),
    [25150071697938, 23942134712130, 23380475999033, 16792241443658, 762123385043, 762123384531, 153324197161, 3969, 129],
  );
  assert.equal([mix(0, cutSalts.packGroup), mix(1, cutSalts.packGroup), mix(1, cutSalts.shard)], [3651860435, 2916906684, 4037111948]);
});

test('the exponential variate is within 1.3e-4 and one unit of the logarithm', () => {
  fc.assert(
    fc.property(u, (value) => {
      const exact = -Math.log1p((value - 2 ** 32 + 0.5) / 2 ** 32) * exponentialUnit;
      assert.ok(Math.abs(exponential(value) - exact) <= exact * 1.3e-4 + 1.5, `${value}: ${exponential(value)} for ${exact}`);
    }),
    { numRuns: 2000 },
  );
});

test('the exponential variate never rises with u', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xfffffffe }), (value) => assert.ok(exponential(value) >= exponential(value + 1))),
    { numRuns: 2000 },
  );
});

test('the cutter follows the rule as it is told, whatever the items', () => {
  fc.assert(
    fc.property(anyItems, (items) => {
      const runs = slowCuts(items, target);
      assert.equal(
        endsOf(items),
        runs.map((run) => run.end),
      );
      assert.equal(
        cutsOf(items).map((cut) => [cut.end, cut.decidedAt]),
        runs.map((run) => [sum(items.slice(0, run.end)), sum(items.slice(0, run.looked))]),
      );
    }),
    { numRuns: 2000 },
  );
});

test('all branches are taken by the items of the properties: early, late, best and forced cuts', () => {
  const cuts = cutsOf([...someItems(30_000, 3), { weight: 20_000, u: 1 }, ...someItems(100, 4)]);
  const sizes = cuts.map((cut, i) => cut.end - (cuts[i - 1]?.end ?? 0));
  assert.ok(sizes.filter((size) => size >= target / 2 && size < target).length > 20, 'below the target');
  assert.ok(sizes.filter((size) => size >= target && size < 2 * target).length > 200, 'above the target');
  assert.ok(cuts.filter((cut) => cut.decidedAt > cut.end).length > 3, 'after looking ahead');
  assert.ok(sizes.includes(20_000), 'an item that is over-long');
});

test('a run has at most twice the target, unless it is one item; at least half of it, unless a heavy item or the end follows', () => {
  fc.assert(
    fc.property(anyItems, (items) => {
      let from = 0;
      for (const end of endsOf(items)) {
        const run = items.slice(from, end);
        const solid = run.filter((item) => item.weight > 0);
        assert.ok(sum(run) <= 2 * target || solid.length === 1);
        const follower = items.slice(end).find((item) => item.weight > 0);
        assert.ok(sum(run) >= target / 2 || !follower || follower.weight > 1.5 * target);
        from = end;
      }
    }),
    { numRuns: 1000 },
  );
});

test('an item heavier than twice the target is a run of its own', () => {
  const items = [...someItems(10, 1), { weight: 2 * target + 1, u: 5 }, ...someItems(10, 2)];
  assert.equal(endsOf(items), [10, 11, 21]);
});

test('an item of weight 0 never ends a run, and leads the next', () => {
  fc.assert(
    fc.property(anyItems, (items) => {
      for (const end of endsOf(items).slice(0, -1)) assert.ok((items[end - 1] as Item).weight > 0);
    }),
    { numRuns: 1000 },
  );
  const idle = { weight: 0, u: 0xffffffff };
  assert.equal(endsOf([{ weight: 5, u: 1 }, idle, { weight: 3 * target, u: 1 }, idle]), [1, 3, 4]);
});

test('a run depends on nothing before the cut that it begins at', () => {
  fc.assert(
    fc.property(anyItems, fc.nat(), (items, choice) => {
      const ends = endsOf(items);
      if (ends.length === 0) return;
      const cut = ends[choice % ends.length] as number;
      assert.equal(
        endsOf(items.slice(cut)).map((end) => end + cut),
        ends.filter((end) => end > cut),
      );
    }),
  );
});

test('a run depends on nothing behind the place that it was decided at', () => {
  fc.assert(
    fc.property(anyItems, anyItems, fc.nat(), (items, others, choice) => {
      const cuts = cutsOf(items);
      const total = sum(items);
      const cut = cuts[choice % Math.max(cuts.length, 1)];
      if (!cut || cut.decidedAt >= total) return;
      let kept = 0;
      for (let at = 0; at < cut.decidedAt; kept++) at += (items[kept] as Item).weight;
      const index = cuts.indexOf(cut);
      assert.equal(cutsOf([...items.slice(0, kept), ...others]).slice(0, index), cuts.slice(0, index));
      assert.is(cutsOf([...items.slice(0, kept), ...others])[index]?.end, cut.end);
    }),
    { numRuns: 1000 },
  );
});

test('an edit moves the cuts beside it and no others', () => {
  const next = numbers(11);
  const items = someItems(4000, 9);
  const before = new Set(cutsOf(items).map((cut) => sum(items) - cut.end));
  let moved = 0;
  for (let edit = 0; edit < 200; edit++) {
    const place = next() % items.length;
    const edited = [...items.slice(0, place), { weight: 1 + (next() % 400), u: next() }, ...items.slice(place + (edit % 2))];
    const total = sum(edited);
    const ends = cutsOf(edited).map((cut) => total - cut.end);
    const placeFromEnd = total - sum(items.slice(0, place));
    moved += ends.filter((end) => end < placeFromEnd && !before.has(end)).length;
  }
  assert.ok(moved < 100, `${moved} cuts behind 200 edits moved`);
});

test('items that are all alike are cut all alike', () => {
  for (const value of [0, 1, 12345, 0x80000000, 0xffffffff]) {
    const items = Array.from({ length: 2000 }, () => ({ weight: 100, u: value }));
    const ends = endsOf(items);
    const lengths = ends.map((end, i) => end - (ends[i - 1] ?? 0));
    assert.is(new Set(lengths.slice(0, -1)).size, 1);
    assert.ok((lengths[0] as number) >= 41 && (lengths[0] as number) <= 163);
  }
});

test('an empty list has no runs', () => {
  assert.equal(endsOf([]), []);
  assert.equal(cutsOf([]), []);
});

test('cuts of groups are independent of those of chunks', () => {
  const items = someItems(200_000, 5);
  const chunks = new Set(endsOf(items));
  const mixed = endsOf(items.map((item) => ({ weight: item.weight, u: mix(item.u, cutSalts.packGroup) })));
  const both = mixed.filter((end) => chunks.has(end)).length / mixed.length;
  assert.ok(both < 0.1, `${both} of the cuts fall together`);
});

test.run();
