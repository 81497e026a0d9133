/** Who may not be believed is not: writers with a pull request's rights, and writers with the bucket's rights and no key. */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { blobName, parseRemoteName } from '../../src/cache/remote/layout.ts';
import { newKeyPair, type Signer, signerOf } from '../../src/cache/remote/signing.ts';
import { decodeStepPack, encodeStepPack } from '../../src/cache/remote/step-pack.ts';
import { decodeTargetRecord, encodeTargetRecord, type TargetRecord } from '../../src/cache/remote/target-record.ts';
import { decodeCollection, encodeCollection } from '../../src/rule/collection.ts';
import { startFaults } from '../services/faults.ts';
import { startS3 } from '../services/s3.ts';
import { checkOut, lines, publishedIn, remoteOf, type Sources, TestBucket } from './remote-rig.ts';
import type { Built, Rig } from './rig.ts';

const service = await startS3();
if (service) {
  const test = suite('trust in a remote cache');
  const proxy = await startFaults(service.endpoint);
  const bucket = await TestBucket.create(service, 'cache');
  const sources: Sources = { big: lines(1500, 1), packed: gzipSync(lines(200, 2)) };
  const clean = checkOut(sources);
  await clean.build();
  const expected = publishedIn(clean);
  const evil = Buffer.from('{"text":"poison"}\n'.repeat(5000));
  const [ours, theirs] = [newKeyPair(), newKeyPair()];
  const signed = `signing: { key: secret('KEY'), accept: ['${ours.publicKey}'] }`;
  const env = { ...bucket.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const main = { ...env, KEY: ours.secretKey };
  const request = { ...env, DSBUILD_SCOPE: 'pr-7' };

  async function buildFresh(given: Readonly<Record<string, string>>, cache = ''): Promise<{ rig: Rig; built: Built }> {
    proxy.seen.length = 0;
    const rig = checkOut(sources, cache);
    return { rig, built: await rig.build({ env: given }) };
  }

  /** The same record with other contents behind the names of files. */
  function poisoned({ result, contents }: TargetRecord): TargetRecord {
    const outputs = Object.entries(result.outputs).map(([name, output]) => {
      const parts = decodeCollection(Buffer.from(contents.get(output.digest) as Uint8Array));
      const list = encodeCollection(parts.map((part) => ({ ...part, digest: digestHex(evil), bytes: evil.length })));
      return { name, output: { ...output, digest: digestHex(list) }, list };
    });
    return {
      result: { ...result, outputs: Object.fromEntries(outputs.map(({ name, output }) => [name, output])) },
      contents: new Map(outputs.map(({ output, list }) => [output.digest, list])),
    };
  }

  /** Replaces every record and pack of a scope by one that names poison, and lays the poison there. */
  async function poison(from: string, to: string, signer?: Signer): Promise<void> {
    await bucket.put(blobName(to, digestHex(evil)).slice('v1/'.length), evil);
    for (const name of await bucket.names(`${from}/`)) {
      const object = parseRemoteName(`v1/${name}`);
      const bytes = await bucket.get(name);
      const target = name.replace(from, to);
      if (object?.kind === 'target') {
        const record = decodeTargetRecord(bytes, object.key) as TargetRecord;
        await bucket.put(target, encodeTargetRecord(object.key, poisoned(record), signer));
      } else if (object?.kind === 'pack') {
        const pack = decodeStepPack(bytes, object.pack);
        const steps = [...(pack?.steps ?? [])].map(([key, result]) => {
          const parts = result.parts.map((part) => ({ ...part, digest: digestHex(evil), bytes: evil.length }));
          return [key, { ...result, parts }] as const;
        });
        await bucket.put(target, encodeStepPack(object.pack, { steps: new Map(steps), contents: new Map() }, signer));
      }
    }
  }

  test.before.each(() => bucket.empty());
  test.after(async () => {
    bucket.close();
    await proxy.close();
    await service.stop();
  });

  test('a pull request reads main and writes its own scope, and main never asks for what lies there', async () => {
    await buildFresh(main);
    const before = await bucket.names();
    const warm = await buildFresh(request);
    assert.equal([warm.built.ran, await bucket.names()], [[], before]);
    await bucket.empty();
    await buildFresh(request);
    assert.equal(
      (await bucket.names()).filter((name) => !name.startsWith('pr-7/')),
      [],
    );
    assert.equal((await buildFresh(request)).built.ran, []);
    await poison('pr-7', 'pr-7');
    const { rig, built } = await buildFresh(main);
    assert.ok(built.ran.length > 0);
    assert.equal(publishedIn(rig), expected);
    assert.equal(
      proxy.seen.filter(({ path }) => path.includes('pr-7')),
      [],
    );
    assert.equal(
      proxy.seen.filter(({ path }) => path.includes(digestHex(evil))),
      [],
    );
  });

  test('what a folder took from the scope of a pull request is not used when it builds main, and is not uploaded there', async () => {
    await buildFresh(request);
    await poison('pr-7', 'pr-7');
    const { rig } = await buildFresh(request);
    assert.is.not(JSON.stringify(publishedIn(rig)), JSON.stringify(expected), 'a pull request can harm itself');
    const built = await rig.build({ env: main });
    assert.is(built.summary.ok, true);
    assert.equal(publishedIn(rig), expected);
    const fresh = await buildFresh(main);
    assert.equal([fresh.built.ran, publishedIn(fresh.rig)], [[], expected]);
    assert.equal(
      (await bucket.names('main/')).filter((name) => name.includes(digestHex(evil))),
      [],
    );
  });

  for (const [who, signer] of [
    ['without a key', undefined],
    ['with another key', signerOf(theirs.secretKey, 'KEY')],
  ] as const) {
    test(`a writer with all rights of the bucket and ${who} poisons nothing that is signed`, async () => {
      await buildFresh(main, signed);
      assert.equal((await buildFresh(main, signed)).built.ran, []);
      await poison('main', 'main', signer);
      const { rig, built } = await buildFresh(main, signed);
      assert.is(built.summary.ok, true);
      assert.ok(remoteOf(built).untrusted > 0);
      assert.equal(publishedIn(rig), expected);
      assert.equal(
        proxy.seen.filter(({ path }) => path.includes(digestHex(evil))),
        [],
      );
      const again = await buildFresh(main, signed);
      assert.equal([again.built.ran, publishedIn(again.rig)], [[], expected]);
    });
  }

  test('signed records and packs that were moved to other names are none', async () => {
    await buildFresh(main, signed);
    const names = await bucket.names('main/');
    for (const kind of ['/targets/', '/packs/']) {
      const some = names.filter((name) => name.includes(kind));
      const bytes = await Promise.all(some.map((name) => bucket.get(name)));
      for (const [i, name] of some.entries()) await bucket.put(name, bytes[(i + 1) % some.length] as Buffer);
    }
    const { rig, built } = await buildFresh(main, signed);
    assert.ok(remoteOf(built).damaged > 0);
    assert.is(remoteOf(built).hits, 0);
    assert.equal(publishedIn(rig), expected);
  });

  test('without the key nothing is uploaded where keys are listed, and what is signed is read', async () => {
    await buildFresh(env, signed);
    assert.equal(await bucket.names(), []);
    await buildFresh(main, signed);
    const { built } = await buildFresh(env, signed);
    assert.equal([built.ran, remoteOf(built).state], [[], 'read-only']);
  });

  test('results that were taken before keys were listed are not used afterwards', async () => {
    await buildFresh(main);
    await poison('main', 'main');
    const { rig } = await buildFresh(main);
    const before = checkOut(sources, signed).read('datasets.config.ts');
    rig.write({ 'datasets.config.ts': before });
    await rig.build({ env: main });
    assert.equal(publishedIn(rig), expected);
  });

  test('a result that names bytes which nobody has and no step makes is not believed, and fails nothing', async () => {
    await buildFresh(main);
    await poison('main', 'main');
    await bucket.remove([blobName('main', digestHex(evil)).slice('v1/'.length)]);
    const { rig, built } = await buildFresh(main);
    assert.is(built.summary.ok, true);
    assert.equal(publishedIn(rig), expected);
  });

  test('no secret is shown or stored: the signing key, credentials', async () => {
    const { rig, built } = await buildFresh(main, signed);
    const seed = ours.secretKey.slice('ed25519-secret:'.length);
    const texts = [JSON.stringify(built.events), ...Object.keys(rig.tree('.')).map((name) => rig.read(name).toString('latin1'))];
    for (const name of await bucket.names()) texts.push((await bucket.get(name)).toString('latin1'));
    assert.equal(
      texts.filter((text) => text.includes(seed) || text.includes(service.secretKey)),
      [],
    );
  });

  test.run();
}
