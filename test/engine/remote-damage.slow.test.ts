import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startS3 } from '../services/s3.ts';
import { checkOut, publishedIn, remoteOf, SharedCache } from './remote-rig.ts';

const service = await startS3();
if (service) {
  const test = suite('remote cache, damaged');
  const shared = await SharedCache.on(service);
  const { bucket, env, sources, expected } = shared;
  const isTarget = (name: string): boolean => name.includes('/targets/');

  test.before.each(async () => bucket.empty());
  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  test('what another checkout built is there for the next one, whichever targets it builds', async () => {
    await shared.buildFresh(sources, { targets: ['clean'] });
    const { built } = await shared.buildFresh();
    assert.equal(
      built.ran.filter((step) => /^(raw|clean)/.test(step)),
      [],
    );
    assert.ok(built.ran.length > 0);
    assert.equal((await shared.buildFresh()).built.ran, []);
  });

  test('any object that is missing is a miss: what is needed is made again, to the same bytes, and lies there afterwards', async () => {
    await shared.buildFresh();
    const all = await bucket.names();
    for (const kind of ['targets', 'packs', 'blobs']) {
      await bucket.remove(all.filter((name) => name.includes(`/${kind}/`)));
      const { rig, built } = await shared.buildFresh();
      assert.is(built.summary.ok, true);
      assert.equal(publishedIn(rig), expected.published, kind);
    }
    assert.equal((await shared.buildFresh()).built.ran, []);
    assert.equal((await bucket.names()).filter(isTarget), all.filter(isTarget));
  });

  test('any object that holds other bytes is a miss, is replaced by who has the right ones, and fails nothing', async () => {
    await shared.buildFresh();
    const all = await bucket.names();
    const ruin = [
      (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1),
      (bytes: Buffer) => bytes.fill(0, 10, 20),
      () => Buffer.from('no'),
    ];
    for (const [i, kind] of ['targets', 'packs', 'blobs'].entries()) {
      const spoilt = all.filter((name) => name.includes(`/${kind}/`));
      for (const name of spoilt) await bucket.put(name, (ruin[i] as (bytes: Buffer) => Buffer)(await bucket.get(name)));
      const { rig, built } = await shared.buildFresh();
      assert.is(built.summary.ok, true);
      assert.equal(publishedIn(rig), expected.published);
      if (kind !== 'packs') assert.ok(remoteOf(built).damaged > 0, kind);
      const again = await shared.buildFresh();
      assert.equal([again.built.ran, remoteOf(again.built).damaged], [[], 0]);
    }
  });

  test('a build that was interrupted leaves what is whole, and the next one goes on from there', async () => {
    const { built } = await shared.buildFresh(sources, { interruptAfter: 12 });
    assert.is(built.summary.ok, false);
    assert.equal((await bucket.names()).filter(isTarget), []);
    const { rig } = await shared.buildFresh();
    assert.equal(publishedIn(rig), expected.published);
  });

  test('a read-only remote is read and not written', async () => {
    await shared.buildFresh(sources, { targets: ['clean'] });
    const before = await bucket.names();
    const rig = checkOut(sources, 'readOnly: true');
    const built = await rig.build({ env });
    assert.is(remoteOf(built).state, 'read-only');
    assert.ok(remoteOf(built).hits > 0);
    assert.equal(await bucket.names(), before);
  });

  test.run();
}
