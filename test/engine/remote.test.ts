import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { startS3 } from '../services/s3.ts';
import { checkOut, publishedIn, remoteOf, SharedCache } from './remote-rig.ts';

const service = await startS3();
if (service) {
  const test = suite('remote cache');
  const shared = await SharedCache.on(service);
  const { bucket, env, sources, expected } = shared;

  test.before.each(async () => bucket.empty());
  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  test('a fresh checkout with a warm remote runs nothing, asks once for each target, and publishes the same bytes', async () => {
    const first = await shared.buildFresh();
    assert.is(first.built.summary.ok, true);
    assert.is(first.built.ran.length, expected.ran);
    assert.is(remoteOf(first.built).failures, 0);
    const second = await shared.buildFresh();
    assert.equal(second.built.ran, []);
    assert.equal(publishedIn(second.rig), expected.published);
    const { requests, hits, misses, failures, state } = remoteOf(second.built);
    const published = Object.values(publishedIn(second.rig)).flatMap((tree) => Object.keys(tree as object)).length;
    assert.equal({ misses, failures, state }, { misses: 0, failures: 0, state: 'ok' });
    assert.ok(hits <= 6 + published, `${hits} hits, ${published} files`);
    assert.is(requests, hits);
  });

  test('with --no-publish nothing but the records of targets is fetched', async () => {
    await shared.buildFresh();
    const { built } = await shared.buildFresh(sources, { publish: false });
    assert.equal(built.ran, []);
    assert.is(remoteOf(built).requests, 6);
  });

  test('a folder that is built already asks the remote for nothing', async () => {
    const { rig } = await shared.buildFresh();
    const again = await rig.build({ env });
    assert.is(remoteOf(again).requests, 0);
  });

  test('after one edited line a fresh checkout runs the steps that it touches, as a folder with all of its cache does', async () => {
    const { rig } = await shared.buildFresh();
    const edited = { ...sources, big: sources.big.replace(/"text":"[^"]{30,}?"/, '"text":"edited in one line"') };
    const fresh = await shared.buildFresh(edited);
    rig.write({ 'in/big.jsonl': edited.big });
    const local = await rig.build();
    assert.ok(local.ran.length < expected.ran / 2, `${local.ran.length} of ${expected.ran}`);
    assert.equal(fresh.built.ran, local.ran);
    const anew = checkOut(edited);
    await anew.build();
    assert.equal(publishedIn(fresh.rig), publishedIn(anew));
    assert.equal(publishedIn(rig), publishedIn(anew));
  });

  test('--no-remote and --offline leave it alone, and DSBUILD_REMOTE wins over the config', async () => {
    for (const off of [{ remote: false }, { offline: true }]) {
      const { built } = await shared.buildFresh(sources, off);
      assert.is(built.summary.remote, undefined);
    }
    assert.equal(await bucket.names(), []);
    const rig = checkOut(sources, "remote: 's3://nowhere/else'");
    await rig.build({ env });
    assert.ok((await bucket.names()).length > 0);
  });

  test('a remote that is not there fails no build, and says so once; with --require-remote it does', async () => {
    const gone = { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const built = await checkOut(sources).build({ env: gone });
    assert.is(built.summary.ok, true);
    assert.is(remoteOf(built).state, 'down');
    assert.equal(
      built.events.flatMap((event) => (event.type === 'warning' ? [event.code] : [])),
      ['remote-down'],
    );
    const required = await checkOut(sources).build({ env: gone, requireRemote: true });
    assert.equal([required.summary.ok, required.errors], [false, ['remote-failed']]);
    assert.is((await checkOut(sources).build({ env, requireRemote: true })).summary.ok, true);
  });

  test('with --require-remote a bucket that is not there, or a server that is down, fails a build with nothing to do as well', async () => {
    const { rig } = await shared.buildFresh();
    const whole = await rig.build({ env, requireRemote: true });
    assert.equal([whole.summary.ok, whole.ran, remoteOf(whole).requests], [true, [], 1]);
    for (const gone of [{ DSBUILD_REMOTE: 's3://no-such-bucket/team' }, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }]) {
      const built = await rig.build({ env: { ...env, ...gone }, requireRemote: true });
      assert.equal([built.summary.ok, built.errors, built.ran], [false, ['remote-failed'], []]);
      const [error] = built.events.flatMap((event) => (event.type === 'target-failed' ? [event.error] : []));
      assert.match(`${error?.message} ${error?.hint}`, gone.DSBUILD_REMOTE ? 'There is no bucket no-such-bucket' : 'ECONNREFUSED');
      assert.is((await rig.build({ env: { ...env, ...gone } })).summary.ok, true);
    }
    const looked = await rig.build({ env: { ...env, DSBUILD_REMOTE: 's3://no-such-bucket/team' }, requireRemote: true, dryRun: true });
    assert.is(looked.summary.ok, false);
  });

  test('an odd DSBUILD_REMOTE is refused before anything is asked, without its secrets; switched off it does not matter', async () => {
    const rig = checkOut(sources);
    const odd = [
      's3://AKIAKEY:SECRET@cache/team',
      's3://Cache/team',
      's3://cache/../team',
      's3://cache?X-Amz-Signature=SECRET',
      'cache/team',
    ];
    for (const DSBUILD_REMOTE of odd) {
      const given = { env: { ...env, DSBUILD_REMOTE }, dryRun: true };
      const error = await rig.build(given).catch((found: unknown) => found);
      assert.instance(error, BuildError, DSBUILD_REMOTE);
      const { code, where, message, hint } = error as BuildError;
      assert.equal([code, where], ['bad-address', 'DSBUILD_REMOTE']);
      assert.match(message, /^DSBUILD_REMOTE must /);
      assert.not.match(`${message} ${hint}`, /SECRET|AKIAKEY/);
      assert.is((await rig.build({ ...given, remote: false })).summary.ok, true);
    }
  });

  test.run();
}
