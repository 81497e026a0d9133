import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { decodeCollection, encodeCollection } from '../../src/rule/collection.ts';
import type { Part } from '../../src/rule/part.ts';
import { part } from './codecs.ts';

const test = suite('collection');

const parts = fc.array(part, { maxLength: 12 });
const isDamaged = (error: unknown): boolean => error instanceof BuildError && error.code === 'bad-part';

test('what is encoded comes back', () => {
  fc.assert(fc.property(parts, (list) => assert.equal(decodeCollection(encodeCollection(list)), list)));
});

test('the bytes do not depend on the order in which facts were noted', () => {
  const reversed = (one: Part): Part => ({ ...one, facts: Object.fromEntries(Object.entries(one.facts).reverse()) });
  fc.assert(fc.property(parts, (list) => assert.equal(encodeCollection(list.map(reversed)), encodeCollection(list))));
});

test('two lists have the same bytes only if they are equal', () => {
  const same = (a: readonly Part[], b: readonly Part[]): boolean => JSON.stringify(a) === JSON.stringify(b);
  const change = (list: readonly Part[], at: number): Part[] => {
    const changed = [...list];
    const one = changed[at % list.length] as Part;
    changed[at % list.length] = [
      { ...one, facts: { ...one.facts, extra: at } },
      { ...one, group: `${one.group}x` },
      { ...one, name: `${one.name ?? ''}x` },
      { ...one, bytes: one.bytes + 1 },
    ][at % 4] as Part;
    return changed;
  };
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.nat(), (list, at) => {
      assert.not.ok(encodeCollection(change(list, at)).equals(encodeCollection(list)));
      const turned = [...list].reverse();
      assert.is(encodeCollection(turned).equals(encodeCollection(list)), same(turned, list));
    }),
  );
});

test('a collection that is cut off anywhere, or is none, is damaged', () => {
  const list: Part[] = [1, 2, 3].map((n) => ({ digest: `${n}`.repeat(64), form: 'lines', bytes: n, facts: { records: n }, group: 'a/b' }));
  const bytes = encodeCollection(list);
  for (let length = 0; length < bytes.length; length++) assert.throws(() => decodeCollection(bytes.subarray(0, length)), isDamaged);
  assert.throws(() => decodeCollection(Buffer.concat([bytes, Buffer.of(0)])), isDamaged);
  assert.throws(() => decodeCollection(Buffer.from('{"count":0}\n')), isDamaged);
});

test('a form or a group that is not there is damage', () => {
  const list: Part[] = [{ digest: '1'.repeat(64), form: 'lines', bytes: 1, facts: {}, group: '' }];
  const [badForm, badGroup] = [encodeCollection(list), encodeCollection(list)];
  badForm.writeUInt8(200, badForm.length - 1);
  badGroup.writeUInt32LE(7, badGroup.length - 5);
  assert.throws(() => decodeCollection(badForm), isDamaged);
  assert.throws(() => decodeCollection(badGroup), isDamaged);
});

test.run();
