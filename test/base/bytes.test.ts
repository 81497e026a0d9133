import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatBytes, formatCount, parseSize } from '../../src/base/bytes.ts';

const test = suite('bytes');

test('a size is a number and a decimal unit', () => {
  assert.equal(['1KB', '2GB', '1.5MB', '0.5 TB', '500MB'].map(parseSize), [1000, 2e9, 1.5e6, 5e11, 5e8]);
});

test('what is no size, or less than a byte or more than can be counted, is none', () => {
  for (const text of ['', '2', 'GB', '2gb', '2GiB', '-1GB', '1e3MB', '2 GB ', '0KB', '0.0001KB', '99999999999TB', '1.KB'])
    assert.is(parseSize(text), undefined, text);
});

test('the same number of bytes is the same size in any unit', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), (n) => assert.is(parseSize(`${n * 1000}MB`), parseSize(`${n}GB`))));
});

test('bytes and counts are shown alike on every machine', () => {
  assert.equal([0, 999, 1000, 1_234_567, 2e9, 1.5e13].map(formatBytes), ['0 B', '999 B', '1.0 KB', '1.2 MB', '2.0 GB', '15.0 TB']);
  assert.equal([0, 999, 1000, 1_234_567, 1e9].map(formatCount), ['0', '999', '1,000', '1,234,567', '1,000,000,000']);
});

test.run();
