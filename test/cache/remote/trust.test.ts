import { inspect } from 'node:util';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../../src/base/errors.ts';
import { Breaker } from '../../../src/cache/remote/breaker.ts';
import { blobName, checkedScope, packName, parseRemoteName, targetName } from '../../../src/cache/remote/layout.ts';
import { isPublicKey, isSigned, newKeyPair, signerOf } from '../../../src/cache/remote/signing.ts';
import { type Origin, Trust, worstOrigin } from '../../../src/cache/remote/trust.ts';
import { digest } from '../../rule/codecs.ts';

const test = suite('trust');

test('a build of main believes main only, one of a pull request its own scope and main', () => {
  const [main, request] = [new Trust('main'), new Trust('pr-7')];
  assert.equal([main.scopes, request.scopes], [['main'], ['pr-7', 'main']]);
  const from = (scope: string): Origin => ({ scope });
  assert.equal(
    [undefined, from('main'), from('pr-7')].map((origin) => main.believes(origin)),
    [true, true, false],
  );
  assert.equal(
    [undefined, from('main'), from('pr-7'), from('pr-8')].map((origin) => request.believes(origin)),
    [true, true, true, false],
  );
});

test('where keys are listed, only what one of them signed is believed, and what was made here', () => {
  const trust = new Trust('main', ['ed25519:a']);
  const origins: (Origin | undefined)[] = [
    undefined,
    { scope: 'main' },
    { scope: 'main', signer: 'ed25519:a' },
    { scope: 'main', signer: 'ed25519:b' },
  ];
  assert.equal(
    origins.map((origin) => trust.believes(origin)),
    [true, false, true, false],
  );
});

test('no key listed is not the same as an empty list', () => {
  assert.is(new Trust('main').believes({ scope: 'main' }), true);
  assert.is(new Trust('main', []).believes({ scope: 'main', signer: 'ed25519:a' }), false);
});

test('what is made of several results is worth no more than the worst of them', () => {
  const signed: Origin = { scope: 'main', signer: 'ed25519:a' };
  assert.is(worstOrigin([]), undefined);
  assert.is(worstOrigin([undefined, undefined]), undefined);
  assert.is(worstOrigin([undefined, signed]), signed);
  const unsigned: Origin = { scope: 'main' };
  assert.is(worstOrigin([unsigned, signed]), unsigned);
  const request: Origin = { scope: 'pr-7', signer: 'ed25519:a' };
  assert.is(worstOrigin([unsigned, request, undefined]), request);
});

test('a signature holds for its text and its key alone', () => {
  const [one, other] = [newKeyPair(), newKeyPair()];
  const signature = signerOf(one.secretKey, 'KEY').sign('text');
  assert.is(isSigned('text', one.publicKey, signature), true);
  assert.is(isSigned('texts', one.publicKey, signature), false);
  assert.is(isSigned('text', other.publicKey, signature), false);
  assert.is(isPublicKey(one.publicKey), true);
  assert.is(isPublicKey(one.secretKey), false);
});

test('keys and signatures that are none sign nothing, whatever they look like', () => {
  const { publicKey, secretKey } = newKeyPair();
  const signature = signerOf(secretKey, 'KEY').sign('text');
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      fc.string(),
      (key, bytes, text) => {
        assert.is(isSigned('text', `ed25519:${Buffer.from(key).toString('base64url')}`, signature), false);
        assert.is(isSigned('text', publicKey, Buffer.from(bytes).toString('base64url')), false);
        assert.is(isSigned('text', text, signature), false);
        assert.is(isSigned('text', publicKey, text), false);
      },
    ),
  );
});

test('a signer shows its secret to nobody, and neither does the error for one that is none', () => {
  const { secretKey } = newKeyPair();
  const signer = signerOf(`${secretKey}\n`, 'KEY');
  const seed = secretKey.slice('ed25519-secret:'.length);
  assert.not.match(inspect(signer, { depth: 9, showHidden: true }) + JSON.stringify(signer), seed);
  assert.throws(
    () => signerOf(`${secretKey}x`, 'KEY'),
    (error: unknown) => error instanceof BuildError && error.code === 'bad-signing-key' && !inspect(error).includes(seed),
  );
});

test('names of objects are read as they are made', () => {
  fc.assert(
    fc.property(digest, digest, fc.constantFrom('main', 'pr-7'), (one, two, scope) => {
      assert.equal(parseRemoteName(blobName(scope, one)), { scope, kind: 'blob', digest: one });
      assert.equal(parseRemoteName(targetName(scope, one)), { scope, kind: 'target', key: one });
      assert.equal(parseRemoteName(packName(scope, `${one}/${two}-0`)), { scope, kind: 'pack', head: one, pack: `${one}/${two}-0` });
    }),
  );
  for (const name of ['', 'v1', 'v1/main', 'v2/main/targets/x', 'v1/../targets/x', 'v1/main/targets/x', 'v1/main/blobs/00/x'])
    assert.is(parseRemoteName(name), undefined);
});

test('a scope is one plain folder', () => {
  for (const scope of ['main', 'pr-17', 'a.b_c']) assert.is(checkedScope(scope, 'here'), scope);
  for (const scope of ['', '.', '..', 'a/b', '../main', 'Main', 'a b', 'main\n', '-x'])
    assert.throws(
      () => checkedScope(scope, 'here'),
      (error: unknown) => error instanceof BuildError && error.code === 'bad-scope',
    );
});

test('after failures in a row nothing is asked but one probe at a time, rarer and rarer, until one succeeds', () => {
  let now = 0;
  const breaker = new Breaker({ failuresMax: 3, probeMs: 10 }, () => now);
  assert.equal([breaker.failed(), breaker.failed()], [false, false]);
  breaker.succeeded();
  assert.equal([breaker.failed(), breaker.failed(), breaker.allows(), breaker.failed(), breaker.isOpen], [false, false, true, true, true]);
  assert.is(breaker.allows(), false);
  now = 10;
  assert.equal([breaker.allows(), breaker.allows()], [true, false]);
  assert.is(breaker.failed(), false);
  now = 29;
  assert.is(breaker.allows(), false);
  now = 30;
  assert.is(breaker.allows(), true);
  breaker.succeeded();
  assert.equal([breaker.isOpen, breaker.allows()], [false, true]);
  assert.equal([breaker.failed(true), breaker.isOpen], [true, true], 'one time-out is enough');
});

test.run();
