import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHasher, digestHex, hashEngine, portableEngine } from '../../src/base/digest.ts';

const test = suite('digest');

const empty = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';

test('digests are BLAKE3-256 in lower-case hex', () => {
  assert.is(digestHex(''), empty);
  assert.is(digestHex('abc'), '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85');
  assert.is(digestHex(Buffer.from('abc')), digestHex('abc'));
});

test('the portable engine agrees with the one that is used, in one go and piece by piece', () => {
  const engines = [portableEngine, hashEngine];
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), (pieces) => {
      const whole = Buffer.concat(pieces);
      const digests = engines.flatMap((engine) => {
        const hasher = engine.hasher();
        for (const piece of pieces) hasher.update(piece);
        return [engine.hash(whole).toString('hex'), hasher.digest().toString('hex')];
      });
      assert.is(new Set(digests).size, 1);
    }),
    { numRuns: 50 },
  );
});

test('hashers do not disturb each other', () => {
  const [a, b] = [createHasher(), createHasher()];
  a.update(Buffer.from('ab'));
  b.update(Buffer.from('x'));
  a.update(Buffer.from('c'));
  assert.equal([a.digest().toString('hex'), b.digest().toString('hex')], [digestHex('abc'), digestHex('x')]);
});

test.run();
