import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bucketOf, bucketStart, Histogram } from '../../src/rule/histogram.ts';

const test = suite('histogram');

test('buckets follow one another, are exact below 128, and none is wider than a 64th of its lengths', () => {
  const last = bucketOf(0xffff_ffff);
  for (let bucket = 0; bucket <= last; bucket++) {
    const [start, next] = [bucketStart(bucket), bucket === last ? 2 ** 32 : bucketStart(bucket + 1)];
    assert.is(bucketOf(start), bucket);
    assert.is(bucketOf(next - 1), bucket);
    if (bucket < 128) assert.is(next - start, 1);
    assert.ok((next - start) * 64 <= Math.max(64, start), `bucket ${bucket}`);
  }
});

test('a length past 32 bits counts in the last bucket, and its sum is exact', () => {
  const histogram = new Histogram();
  histogram.add(2 ** 33);
  assert.equal(histogram.data, { count: 1, sum: 2 ** 33, min: 2 ** 33, max: 2 ** 33, buckets: [bucketOf(0xffff_ffff), 1] });
});

test('histograms of pieces merged are the histogram of all, in any order; nothing counted changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat({ max: 100_000 }))), (pieces) => {
      const counted = (lengths: readonly number[]): Histogram => {
        const histogram = new Histogram();
        for (const length of lengths) histogram.add(length);
        return histogram;
      };
      const merged = new Histogram();
      for (const piece of [...pieces].reverse()) merged.merge(counted(piece).data);
      assert.equal(merged.data, counted(pieces.flat()).data);
    }),
  );
});

test.run();
