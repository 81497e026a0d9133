import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../../src/base/digest.ts';
import { packBag } from '../../../src/cache/remote/bag.ts';
import { openRecord, sealRecord } from '../../../src/cache/remote/envelope.ts';
import { newKeyPair, signerOf } from '../../../src/cache/remote/signing.ts';
import { decodeStepPack, encodeStepPack } from '../../../src/cache/remote/step-pack.ts';
import { decodeTargetRecord, encodeTargetRecord } from '../../../src/cache/remote/target-record.ts';
import type { TargetResult } from '../../../src/cache/results.ts';
import { digest } from '../../rule/codecs.ts';
import { contents, stepResult, targetResult } from './results.ts';

const test = suite('records');

const pair = newKeyPair();
const signer = signerOf(pair.secretKey, 'KEY');
const key = digestHex('key');
const pack = `${digestHex('head')}/run-1`;
const plain: TargetResult = {
  outputs: { main: { digest: key, parts: 1, bytes: 2, records: 3, tokens: 4 } },
  counters: {},
  quarantined: [],
  badGroups: [],
  documentsIn: 5,
  steps: 6,
  tookMs: 7,
};

test('a record of a target comes back as it was written, signed or not', () => {
  fc.assert(
    fc.property(digest, targetResult, contents, fc.boolean(), (name, result, small, signed) => {
      const read = decodeTargetRecord(encodeTargetRecord(name, { result, contents: small }, signed ? signer : undefined), name);
      assert.equal(read?.result, result);
      assert.equal([...(read?.contents ?? [])], [...small]);
      assert.is(read?.signer, signed ? pair.publicKey : undefined);
    }),
  );
});

test('a pack of steps comes back as it was written', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(digest, stepResult), { maxLength: 5 }), contents, (steps, small) => {
      const written = { steps: new Map(steps), contents: small };
      const read = decodeStepPack(encodeStepPack(pack, written, signer), pack);
      assert.equal([...(read?.steps ?? [])], [...written.steps]);
      assert.equal([...(read?.contents ?? [])], [...small]);
    }),
  );
});

test('where a result came from is not written: whoever reads it knows better', () => {
  const record = encodeTargetRecord(key, { result: { ...plain, origin: { scope: 'pr-1' } }, contents: new Map() });
  assert.equal(decodeTargetRecord(record, key)?.result, plain);
});

test('a record with any bit changed, and any byte cut off or added, is no record', () => {
  const record = encodeTargetRecord(key, { result: plain, contents: new Map([[digestHex('x'), Buffer.from('x')]]) }, signer);
  for (let at = 0; at < record.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(record);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      assert.is(decodeTargetRecord(changed, key), undefined, `bit ${bit} of byte ${at}`);
    }
  }
  for (let length = 0; length < record.length; length++) assert.is(decodeTargetRecord(record.subarray(0, length), key), undefined);
  assert.is(decodeTargetRecord(Buffer.concat([record, Buffer.from('\n')]), key), undefined);
});

test('a signed record that was moved to another key, or given out as a pack, is none', () => {
  const record = encodeTargetRecord(key, { result: plain, contents: new Map() }, signer);
  const other = digestHex('other');
  assert.is(decodeTargetRecord(record, other), undefined);
  // Whoever moves it can write another name into its head, but not sign that.
  const renamed = Buffer.from(record.toString('latin1').replace(`"name":"${key}"`, `"name":"${other}"`), 'latin1');
  assert.is(decodeTargetRecord(renamed, other), undefined);
  assert.is(openRecord(sealRecord({ kind: 'pack', name: key }, Buffer.from('x'), signer), { kind: 'target', name: key }), 'damaged');
});

test('a signature by another key than the one that is named, or of another body, is none', () => {
  const other = signerOf(newKeyPair().secretKey, 'KEY');
  const record = encodeTargetRecord(key, { result: plain, contents: new Map() }, signer).toString('latin1');
  const asOther = record.replace(signer.publicKey, other.publicKey);
  assert.is(decodeTargetRecord(Buffer.from(asOther, 'latin1'), key), undefined);
  const [, signature] = /"signature":"([^"]+)"/.exec(record) ?? [];
  const unsigned = encodeTargetRecord(key, { result: { ...plain, tookMs: 8 }, contents: new Map() }).toString('latin1');
  const forged = unsigned.replace('"}', `","signature":"${signature}","signer":"${signer.publicKey}"}`);
  assert.is(decodeTargetRecord(Buffer.from(forged, 'latin1'), key), undefined);
});

test('names that objects have from birth are no names of outputs, counters or facts', () => {
  const poisoned = [
    `{"outputs":{"__proto__":{"digest":"${key}","parts":1,"bytes":2,"records":3,"tokens":4}},"counters":{},"quarantined":[],"badGroups":[],"documentsIn":5,"steps":6,"tookMs":7}`,
    JSON.stringify(plain).replace('"counters":{}', '"counters":{"__proto__":5}'),
    JSON.stringify(plain).replace('"counters":{}', '"counters":{"constructor":5}'),
    JSON.stringify(plain).replace('"tookMs":7', '"tookMs":7,"__proto__":{"origin":{}}'),
  ];
  const [outputs, counters, born, extra] = poisoned.map((about) => {
    const body = packBag({ about: null, contents: new Map() }).toString().replace('"about":null', `"about":${about}`);
    return decodeTargetRecord(sealRecord({ kind: 'target', name: key }, Buffer.from(body)), key);
  });
  assert.equal([outputs, counters, born], [undefined, undefined, undefined]);
  // What nobody asks for does not come along.
  assert.equal(extra?.result, plain);
  assert.is(Object.getPrototypeOf(extra?.result), Object.prototype);
  const step = `[["${key}",{"parts":[{"output":"__proto__","form":"lines","digest":"${key}","bytes":1,"facts":{},"group":""}],"counters":{},"quarantined":[],"tookMs":1}]]`;
  const body = packBag({ about: null, contents: new Map() }).toString().replace('"about":null', `"about":${step}`);
  assert.is(decodeStepPack(sealRecord({ kind: 'pack', name: pack }, Buffer.from(body)), pack), undefined);
});

test('a record whose contents are other bytes than their digests say is none', () => {
  const lying = packBag({ about: plain, contents: new Map([[digestHex('one'), Buffer.from('two')]]) });
  assert.is(decodeTargetRecord(sealRecord({ kind: 'target', name: key }, lying), key), undefined);
});

test('whatever the body of a record holds, reading it gives a checked result or nothing, and never throws', () => {
  const open = (about: unknown, table: string): void => {
    const body = Buffer.from(`{"about":${JSON.stringify(about) ?? 'null'},"contents":${table}}\n`);
    for (const bytes of [sealRecord({ kind: 'target', name: key }, body), body]) decodeTargetRecord(bytes, key);
    for (const bytes of [sealRecord({ kind: 'pack', name: pack }, body), body]) decodeStepPack(bytes, pack);
  };
  const half = targetResult.chain((result) =>
    fc.tuple(fc.constantFrom(...Object.keys(result)), fc.jsonValue()).map(([name, value]) => ({ ...result, [name]: value })),
  );
  const steps = fc.array(fc.tuple(fc.oneof(digest, fc.string()), fc.oneof(stepResult, fc.jsonValue())));
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), half, steps), fc.oneof(fc.constant('[]'), fc.json()), open), { numRuns: 1000 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.is(decodeTargetRecord(Buffer.from(bytes), key), undefined);
      assert.is(decodeTargetRecord(sealRecord({ kind: 'target', name: key }, bytes), key), undefined);
    }),
  );
});

test.run();
