import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { s3AddressProblem } from '../../src/base/s3-address.ts';

const test = suite('addresses on S3');

const sound = ['s3://bucket', 's3://bucket/', 's3://team-cache/dsbuild', 's3://team.cache_1/a b/%20/', 's3://abc/x:y#z'];

test('a bucket and a prefix are an address, and so is a bucket alone', () => {
  for (const address of sound) assert.is(s3AddressProblem(address), undefined, address);
});

test('the key of an object may hold what keys hold, and is no folder', () => {
  for (const address of ['s3://bucket/a?b', 's3://bucket/month=?/*.jsonl', 's3://bucket/a b/c.jsonl'])
    assert.is(s3AddressProblem(address, 's3://bucket/key'), undefined, address);
  for (const address of ['s3://bucket', 's3://bucket/', 's3://bucket/folder/', 's3://bucket/a.jsonl?versionId=3'])
    assert.ok(s3AddressProblem(address, 's3://bucket/key'), address);
});

const odd: readonly (readonly [address: string, problem: RegExp])[] = [
  ['bucket/prefix', /^must be s3:\/\/bucket\/prefix, but is "bucket\/prefix"$/],
  ['https://host/x', /^must be s3:/],
  ['S3://bucket/x', /^must be s3:/],
  ['s3:/bucket', /^must be s3:/],
  ['s3://', /^must be s3:/],
  ['s3:///x', /^must be s3:\/\/bucket\/prefix, but is "s3:\/\/\/x"$/],
  ['s3://Bucket/x', /^must name a bucket .*, but names "Bucket"$/],
  ['s3://my bucket/x', /but names "my bucket"$/],
  ['s3://bücket/x', /but names/],
  ['s3://ab/x', /but names "ab"$/],
  ['s3://-bucket/x', /but names/],
  ['s3://bucket./x', /but names/],
  ['s3://a..b/x', /but names/],
  ['s3://127.0.0.1/x', /but names/],
  [`s3://${'a'.repeat(64)}/x`, /but names/],
  ['s3://bucket/../other', /^must have no empty segment and none that leads elsewhere, but is "s3:\/\/bucket\/\.\.\/other"$/],
  ['s3://bucket/a/..', /leads elsewhere/],
  ['s3://bucket/./a', /leads elsewhere/],
  ['s3://bucket//a', /empty segment/],
  ['s3://bucket/a//', /empty segment/],
  ['s3://bucket/a\nb', /control characters/],
  ['s3://bucket/\ud800', /control characters/],
  ['s3://bucket/x?versionId=1', /without a query, but has one behind "s3:\/\/bucket\/x"$/],
  ['s3://bucket?x', /without a query/],
];
for (const [address, problem] of odd) {
  test(`${JSON.stringify(address)} is refused, with what was seen`, () => assert.match(s3AddressProblem(address) ?? '', problem));
}

/** Characters that passwords are made of, with those that mean something in addresses. */
const password = fc
  .array(fc.constantFrom(...'/?#:@%&=+!.-_~$'), { minLength: 0, maxLength: 4 })
  .map((signs) => `HUNTER${signs.join('HUNTER')}HUNTER`);

test('whatever a password or a signature looks like, it is not shown', () => {
  const address = fc.oneof(
    password.map((text) => `s3://AKIAKEY:${text}@bucket/prefix`),
    password.map((text) => `s3:/AKIAKEY:${text}@bucket/prefix`),
    password.map((text) => `AKIAKEY:${text}@bucket/prefix`),
    password.map((text) => `s3://bucket/prefix?X-Amz-Signature=${text}`),
    password.map((text) => `s3://bucket?X-Amz-Signature=${text}&x=1`),
    password.map((text) => `s3://AKIAKEY:${text}@Bucket//x?token=${text}`),
  );
  const form = fc.constantFrom('s3://bucket/prefix', 's3://bucket/key');
  fc.assert(
    fc.property(address, form, (text, as) => {
      const problem = s3AddressProblem(text, as);
      assert.ok(problem !== undefined, text);
      assert.not.match(problem, /HUNTER|AKIAKEY/);
    }),
    { numRuns: 300 },
  );
});

test.run();
