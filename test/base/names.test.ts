import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { byCodeUnit, didYouMean, nearestName } from '../../src/base/names.ts';

const test = suite('names');

test('order is by UTF-16 code unit, as plain < says, never by locale', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3 });
  fc.assert(fc.property(text, text, (a, b) => assert.is(Math.sign(byCodeUnit(a, b)), a < b ? -1 : a > b ? 1 : 0)));
  assert.equal(['ä', 'Z', 'a', '\u{1F600}', '\uFFFD', '10', '9'].sort(byCodeUnit), ['10', '9', 'Z', 'a', 'ä', '\u{1F600}', '\uFFFD']);
});

test('a mistyped name finds the nearest known one, whatever its case', () => {
  const known = ['maxSeqLength', 'shardSize', 'labels'];
  assert.is(nearestName('maxSeqLenght', known), 'maxSeqLength');
  assert.is(nearestName('SHARDSIZE', known), 'shardSize');
  assert.is(nearestName('label', known), 'labels');
  assert.is(nearestName('tokenizer', known), undefined);
  assert.is(nearestName('x', []), undefined);
});

test('up to two slips are forgiven anywhere, and the nearest of several wins', () => {
  const letter = fc.constantFrom(...'abcdefgh');
  fc.assert(
    fc.property(fc.array(letter, { minLength: 4, maxLength: 8 }), fc.nat(), letter, (letters, at, slip) => {
      const name = letters.join('');
      const mistyped = [...letters];
      mistyped[at % letters.length] = slip;
      assert.is(nearestName(mistyped.join(''), ['zzzzzzzzzzzz', name]), name);
    }),
  );
  assert.is(nearestName('clean', ['cleaned', 'clear', 'lean']), 'clear');
});

test('the question is put only where there is something to propose', () => {
  assert.is(didYouMean('shrad', ['shard']), ' Did you mean "shard"?');
  assert.is(didYouMean('shrad', ['download']), '');
});

test.run();
