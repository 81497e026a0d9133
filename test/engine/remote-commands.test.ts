import { lstatSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { signerOf } from '../../src/cache/remote/signing.ts';
import { engine } from '../../src/cli/engine.ts';
import { run } from '../cli/console.ts';
import { addS3User, credentialsOf, startS3 } from '../services/s3.ts';
import { checkOut, lines, publishedIn, type Sources, TestBucket } from './remote-rig.ts';
import { Rig } from './rig.ts';

const keys = suite('cache keygen');

keys('writes the secret key where only its owner may read it, shows the public one, and overwrites nothing', async () => {
  const rig = new Rig();
  const made = await run(['cache', 'keygen', '--json', 'my.key'], { engine, cwd: rig.root });
  assert.is(made.code, 0);
  const { publicKey, file } = JSON.parse(made.stdout) as { publicKey: string; file: string };
  assert.is(file, rig.path('my.key'));
  const secret = readFileSync(file, 'utf8');
  assert.is(signerOf(secret, 'KEY').publicKey, publicKey);
  assert.is(lstatSync(file).mode & 0o777, 0o600);
  assert.not.match(made.stdout + made.stderr, secret.trim());
  const again = await run(['cache', 'keygen', 'my.key'], { engine, cwd: rig.root });
  assert.is(again.code, 1);
  assert.match(again.stderr, '[exists]');
  assert.is(readFileSync(file, 'utf8'), secret);
});

keys('says that the folder is not there in which a key is to lie', async () => {
  const rig = new Rig();
  const { code, stderr } = await run(['cache', 'keygen', 'nodir/my.key'], { engine, cwd: rig.root });
  assert.is(code, 2);
  assert.match(stderr, `there is no folder ${rig.path('nodir')}`);
  assert.match(stderr, '[usage]');
});

keys.run();

const service = await startS3();
if (service) {
  const test = suite('cache push, pull, ls');
  const bucket = await TestBucket.create(service, 'cache');
  const { env } = bucket;
  const sources: Sources = { big: lines(1500, 1), packed: gzipSync(lines(200, 2)) };
  const cache = (rig: Rig, ...words: string[]) => run(['cache', ...words], { engine, cwd: rig.root, env });

  test.before.each(() => bucket.empty());
  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  test('push sends what was built without a remote, and again what the remote has lost, and nothing twice', async () => {
    const rig = checkOut(sources);
    await rig.build();
    const pushed = await cache(rig, 'push');
    assert.is(pushed.code, 0, pushed.stdout + pushed.stderr);
    assert.match(pushed.stdout, /^shards\s+sent$/m);
    const names = await bucket.names();
    const fresh = checkOut(sources);
    assert.equal((await fresh.build({ env })).ran, []);
    assert.equal(publishedIn(fresh), publishedIn(rig));
    for (const holder of [rig, fresh]) {
      const again = await cache(holder, 'push');
      assert.is(again.code, 0, again.stdout + again.stderr);
      assert.match(again.stdout, /^shards\s+there already$/m);
    }
    assert.equal(await bucket.names(), names);
    await bucket.remove(names);
    assert.is((await cache(rig, 'push')).code, 0);
    const places = (all: readonly string[]): string[] => all.filter((name) => !name.includes('/packs/'));
    assert.equal(places(await bucket.names()), places(names));
  });

  test('push says why nothing could be sent: no bucket, no right to write, no key to sign with, or the config', async () => {
    const reader = addS3User(service, 'push-reader');
    const accept = ["accept: ['ed25519:", 'A'.repeat(43), "']"].join('');
    const causes: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      ['', { DSBUILD_REMOTE: 's3://nobodys-bucket' }, /NoSuchBucket\nThere is no bucket nobodys-bucket/],
      ['', credentialsOf(reader), /the server answered 403/],
      [`signing: { key: secret('NO_KEY'), ${accept} }`, {}, /has no NO_KEY, which holds the key that signs\n/],
      [`signing: { ${accept} }`, {}, /the config names no key to sign with\n/],
      ['readOnly: true', {}, /cache.readOnly/],
    ];
    const rig = checkOut(sources);
    await rig.build();
    const text = rig.read('datasets.config.ts').toString().replace('import {', 'import { secret,');
    for (const [cache, more, why] of causes) {
      rig.write({ 'datasets.config.ts': text.replace('cache: {  }', `cache: { ${cache} }`) });
      const { code, stdout } = await run(['cache', 'push'], { engine, cwd: rig.root, env: { ...env, ...more } });
      assert.is(code, 1);
      assert.match(stdout, why);
      assert.not.match(stdout, 'could not be had');
    }
  });

  test('pull brings the bytes of all outputs, and then nothing more is needed of the remote', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    const fresh = checkOut(sources);
    const pulled = await cache(fresh, 'pull');
    assert.is(pulled.code, 0, pulled.stdout + pulled.stderr);
    assert.equal(fresh.tree('train'), {});
    const built = await fresh.build({ offline: true });
    assert.equal([built.ran, publishedIn(fresh)], [[], publishedIn(rig)]);
  });

  test('rows of what came from the remote can be traced without it when it was pulled, and until then it says so', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    const trace = (of: Rig) => run(['trace', 'shards:3', '--json', '--no-remote'], { engine, cwd: of.root, env });
    const wanted = await trace(rig);
    assert.is(wanted.code, 0);
    const fresh = checkOut(sources);
    await fresh.build({ env });
    const before = await trace(fresh);
    assert.is(before.code, 1);
    assert.match(before.stdout + before.stderr, 'dsbuild cache pull');
    await cache(fresh, 'pull');
    assert.equal(await trace(fresh), wanted);
  });

  test('head and trace show what only the remote holds, in a checkout in which nothing was ever built', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    const fresh = checkOut(sources);
    for (const words of [
      ['head', 'tokens', '-n', '2', '--json'],
      ['trace', 'shards:3', '--json'],
    ]) {
      const wanted = await run(words, { engine, cwd: rig.root, env });
      assert.is(wanted.code, 0);
      assert.equal(await run(words, { engine, cwd: fresh.root, env }), wanted);
    }
  });

  test('pull says which targets nobody has built', async () => {
    const { code, stdout } = await cache(checkOut(sources), 'pull');
    assert.is(code, 1);
    assert.match(stdout, /^clean\s+not built as the config stands$/m);
  });

  test('ls says what the remote holds of the targets, and what in all', async () => {
    const rig = checkOut(sources);
    await rig.build({ env, targets: ['clean'] });
    const { code, stdout } = await cache(rig, 'ls');
    assert.is(code, 0);
    assert.match(stdout, /^clean\s+main\s+\d+/m);
    assert.match(stdout, /^tokens\s+not there$/m);
    assert.match(stdout, /^main\s+2\s+2\s/m);
    const { targets, scopes } = JSON.parse((await cache(rig, 'ls', '--json')).stdout);
    assert.equal([targets.length, scopes.length, scopes[0].target.objects], [6, 1, 2]);
    assert.equal(JSON.parse((await cache(rig, 'stats', '--remote', '--json')).stdout).remote, scopes);
  });

  test('without a remote these commands say how to name one', async () => {
    const rig = checkOut(sources);
    for (const word of ['push', 'pull', 'ls']) {
      const { code, stderr } = await run(['cache', word], { engine, cwd: rig.root });
      assert.is(code, 2);
      assert.match(stderr, '[no-remote]');
    }
  });

  test.run();
}
