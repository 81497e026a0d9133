import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeStepPack } from '../../src/cache/remote/step-pack.ts';
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

  const ways: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    'a flipped bit': (bytes) => bytes.fill((bytes[bytes.length >> 1] as number) ^ 4, bytes.length >> 1, (bytes.length >> 1) + 1),
    'a flipped bit in its first line': (bytes) => bytes.fill((bytes[20] as number) ^ 1, 20, 21),
    'half of it': (bytes) => bytes.subarray(0, bytes.length >> 1),
    'other JSON': () => Buffer.from('{"format":"dsbuild remote 1"}\n{}'),
    nothing: () => Buffer.alloc(0),
  };
  const edited = { ...sources, big: sources.big.replace(/"text":"[^"]{30,}?"/, '"text":"edited in one line"') };

  /**
   * Builds twice from an empty folder with some objects spoilt.
   * @returns how many of them were read, and found to be so.
   */
  async function buildTwice(given: typeof sources, spoilt: ReadonlyMap<string, Buffer>, published: unknown): Promise<number> {
    for (const [name, bytes] of spoilt) await bucket.put(name, bytes);
    const { rig, built } = await shared.buildFresh(given);
    assert.is(built.summary.ok, true);
    assert.equal(publishedIn(rig), published);
    rig.remove('.');
    const again = await shared.buildFresh(given, { requireRemote: true });
    assert.equal([again.built.errors, again.built.ran, remoteOf(again.built).damaged], [[], [], 0]);
    assert.equal(publishedIn(again.rig), published);
    again.rig.remove('.');
    return remoteOf(built).damaged;
  }

  test('whatever object is spoilt in whatever way, what is read of it is whole again on the remote after one build', async () => {
    await shared.buildFresh();
    const clean = checkOut(edited);
    await clean.build();
    const whole = new Map<string, Buffer>();
    for (const name of await bucket.names()) whole.set(name, await bucket.get(name));
    const restore = async (): Promise<void> => {
      await bucket.remove((await bucket.names()).filter((name) => !whole.has(name)));
      for (const [name, bytes] of whole) await bucket.put(name, bytes);
    };
    const named = (kind: string): string[] => [...whole.keys()].filter((name) => name.includes(`/${kind}/`));
    for (const [way, spoil] of Object.entries(ways)) {
      const some = (names: readonly string[]): Map<string, Buffer> =>
        new Map(names.map((name) => [name, spoil(Buffer.from(whole.get(name) as Buffer))]));
      const targets = await buildTwice(sources, some(named('targets')), expected.published);
      for (const name of named('targets')) assert.equal(await bucket.get(name), whole.get(name), `${way}: ${name}`);
      await restore();
      const contents = await buildTwice(sources, some(named('blobs')), expected.published);
      await restore();
      const packs = await buildTwice(edited, some(named('packs')), publishedIn(clean));
      for (const name of named('packs'))
        assert.ok(decodeStepPack(await bucket.get(name), name.slice('main/packs/'.length)), `${way}: ${name}`);
      await restore();
      const used = await buildTwice(edited, some(named('blobs')), publishedIn(clean));
      await restore();
      assert.ok(targets >= 6 && packs >= 6 && contents > 0 && used > 0, `${way}: ${[targets, packs, contents, used]} were read`);
    }
  });

  test('a single record or pack that is spoilt is repaired beside those that are not', async () => {
    await shared.buildFresh();
    const all = await bucket.names();
    const clean = checkOut(edited);
    await clean.build();
    for (const name of all.filter((one) => !one.includes('/blobs/'))) {
      const [given, published] = isTarget(name) ? [sources, expected.published] : [edited, publishedIn(clean)];
      assert.is(await buildTwice(given, new Map([[name, Buffer.from('no')]]), published), 1, name);
      await bucket.remove((await bucket.names('main/targets/')).filter((one) => !all.includes(one)));
    }
  });

  test('a build that was interrupted leaves what is whole, and the next one goes on from there', async () => {
    const { built } = await shared.buildFresh(sources, { interruptAfter: 12 });
    assert.is(built.summary.ok, false);
    // A target may have been whole before the build was interrupted.
    const left = (await bucket.names()).filter(isTarget);
    const { rig } = await shared.buildFresh();
    assert.equal(publishedIn(rig), expected.published);
    const all = (await bucket.names()).filter(isTarget);
    assert.equal([left.filter((name) => !all.includes(name)), left.length < all.length], [[], true]);
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
