// time limit: 300 s
/** Collecting on a real S3 server. Ages are those of the server's clock, so tests ask for no age at all. */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../../src/base/errors.ts';
import { newKeyPair } from '../../../src/cache/remote/signing.ts';
import { encodeStepPack } from '../../../src/cache/remote/step-pack.ts';
import { collectRemote, type RemoteGc, type RemoteGcTold } from '../../../src/engine/gc/remote-gc.ts';
import { openProject, type Project } from '../../../src/engine/project.ts';
import { matrixProject } from '../../build/matrix.ts';
import { errorsOf } from '../../build/project.ts';
import { startS3 } from '../../services/s3.ts';
import { checkOut, lines, publishedIn, type Sources, TestBucket } from '../remote-rig.ts';
import type { Rig } from '../rig.ts';

const service = await startS3();
if (service) {
  const test = suite('garbage collection on a remote');
  const bucket = await TestBucket.create(service, 'collected');
  const { env } = bucket;
  const sources: Sources = { big: lines(600, 1), packed: gzipSync(lines(60, 2)) };
  const edited: Sources = { ...sources, big: sources.big.replace('"text":"', '"text":"edited ') };
  const everything: RemoteGc = { olderThanMs: -60_000, graceMs: -60_000, dryRun: false };

  const withProject = async <T>(rig: Rig, use: (project: Project) => Promise<T>, more: Record<string, string> = {}): Promise<T> => {
    const project = await openProject({
      cwd: rig.root,
      params: {},
      env: { ...env, ...more },
      emit: () => {},
      signal: new AbortController().signal,
    });
    try {
      return await use(project);
    } finally {
      project.close();
    }
  };
  const gc = (rig: Rig, request: Partial<RemoteGc> = {}, more: Record<string, string> = {}): Promise<RemoteGcTold> =>
    withProject(rig, (project) => collectRemote(project, { ...everything, ...request }), more);
  /** Of what one collection looks at another may take away. */
  const onlyRemoteFailed = (error: unknown): undefined => {
    assert.is((error as { code?: string }).code, 'remote-failed');
    return undefined;
  };
  const layOut = (rig: Rig, { big }: Sources): void => rig.write({ 'in/big.jsonl': big });

  const clean = checkOut(edited);
  await clean.build();
  const expected = publishedIn(clean);

  /** A fresh checkout of the edited sources runs nothing, and publishes what a clean build does. */
  async function assertWarm(cache = '', more: Record<string, string> = {}): Promise<void> {
    const rig = checkOut(edited, cache);
    const { ran, summary } = await rig.build({ env: { ...env, ...more } });
    assert.equal([summary.ok, ran], [true, []]);
    assert.equal(publishedIn(rig), expected);
  }

  test.before.each(async () => bucket.empty());
  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  test('what the config does not need goes: records by name, packs, contents; what it needs stays, and is all that a fresh checkout wants', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    layOut(rig, edited);
    await rig.build({ env });
    const before = await bucket.names();
    const plan = await gc(rig, { dryRun: true });
    assert.equal(await bucket.names(), before);
    const done = await gc(rig);
    assert.equal([done.targets, done.blobs, done.bytes < done.bytesBefore], [plan.targets, plan.blobs, true]);
    assert.ok(
      done.targets.some(({ target, records }) => target === 'raw' && records === 1),
      JSON.stringify(done.targets),
    );
    assert.ok(done.blobs.objects > 0 && done.packs.objects > 0 && done.packs.written > 0);
    await assertWarm();
    const again = await gc(rig);
    assert.equal([again.targets, again.packs.objects, again.blobs.objects], [[], 0, 0]);
  });

  test('an edit after a collection finds the steps that it does not touch', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    await gc(rig);
    const other = checkOut(edited);
    const { summary } = await other.build({ env });
    assert.ok(summary.ok && summary.steps.hit > summary.steps.ran, JSON.stringify(summary.steps));
    assert.equal(publishedIn(other), expected);
  });

  test('what is younger than asked for stays, and so do contents that an upload may be about to name', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    layOut(rig, edited);
    await rig.build({ env });
    const before = await bucket.names();
    assert.equal((await gc(rig, { olderThanMs: 60 * 60 * 1000 })).targets, []);
    assert.equal(await bucket.names(), before);
    assert.is((await gc(rig, { graceMs: 60 * 60 * 1000 })).blobs.objects, 0);
    await assertWarm();
  });

  test('a pack that was emptied because it was damaged goes when it is old', async () => {
    const rig = checkOut(edited);
    await rig.build({ env });
    const pack = `${'0'.repeat(64)}/emptied`;
    await bucket.put(`main/packs/${pack}`, encodeStepPack(pack, { steps: new Map(), contents: new Map() }));
    assert.is((await gc(rig)).packs.objects, 1);
    assert.not.ok((await bucket.names()).includes(`main/packs/${pack}`));
    await assertWarm();
  });

  test('many packs of one head become few', async () => {
    const rig = checkOut(sources);
    await rig.build({ env });
    for (let i = 0; i < 9; i++) {
      layOut(rig, { ...sources, big: sources.big.replace('"text":"', `"text":"edit ${i} `) });
      await rig.build({ env });
    }
    layOut(rig, edited);
    await rig.build({ env });
    const before = (await bucket.names('main/packs/')).length;
    await gc(rig, { olderThanMs: 60 * 60 * 1000 });
    const after = (await bucket.names('main/packs/')).length;
    assert.ok(after < before / 4, `${after} of ${before}`);
    await assertWarm();
  });

  test('joined packs are signed by who collects; without the key nothing is touched', async () => {
    const { publicKey, secretKey } = newKeyPair();
    const cache = `signing: { key: secret('KEY'), accept: ['${publicKey}'] }`;
    const key = { KEY: secretKey };
    const rig = checkOut(sources, cache);
    await rig.build({ env: { ...env, ...key } });
    layOut(rig, edited);
    await rig.build({ env: { ...env, ...key } });
    const before = await bucket.names();
    for (const request of [{}, { olderThanMs: 60 * 60 * 1000 }]) {
      const refused = await gc(rig, request).catch((error: unknown) => error);
      assert.instance(refused, BuildError);
      const { code, message, hint } = refused as BuildError;
      assert.is(code, 'remote-read-only');
      assert.match(message, 'nothing can be collected');
      assert.match(`${message} ${hint}`, 'the environment has no KEY');
    }
    assert.equal(await bucket.names(), before);
    assert.ok((await gc(rig, { dryRun: true })).targets.length > 0);
    assert.ok((await gc(rig, {}, key)).packs.written > 0);
    await assertWarm(cache);
  });

  test('two collections at once, and builds meanwhile that bring and send: never a wrong byte', async () => {
    // Processes of their own: modules of the user's are known by what they hold, and a process builds one folder at a time.
    const projects = [matrixProject(3), matrixProject(3), matrixProject(3)] as const;
    const [reference, ...others] = projects;
    try {
      assert.is((await reference.build('--no-remote')).code, 0);
      const wanted = reference.snapshot();
      for (const { env: own } of others) Object.assign(own, env);
      // None of what the builds send is needed by its config: all of it goes, as soon as it is there.
      const collector = checkOut(sources);
      let collected = 0;
      for (let round = 0; round < 3; round++) {
        for (const project of others) for (const folder of ['.dsbuild', 'out']) project.remove(folder);
        let areBuilding = true;
        const built = Promise.all(others.map((project) => project.build())).finally(() => {
          areBuilding = false;
        });
        while (areBuilding) {
          const reports = await Promise.all([gc(collector), gc(collector)].map((one) => one.catch(onlyRemoteFailed)));
          for (const report of reports) collected += report?.blobs.objects ?? 0;
        }
        for (const outcome of await built) assert.equal([outcome.code, errorsOf(outcome)], [0, []]);
        for (const project of others) assert.equal(project.snapshot(), wanted);
      }
      assert.ok(collected > 0, 'something was taken from under the builds');
    } finally {
      for (const project of projects) project.end();
    }
  });

  test.run();
}
