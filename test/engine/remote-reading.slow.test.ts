/** Commands that read what was built fetch what is not on this machine. */
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../../src/cli/engine.ts';
import { outputsOf } from '../../src/cli/run-outputs.ts';
import { openProject } from '../../src/engine/project.ts';
import { run } from '../cli/console.ts';
import { startS3 } from '../services/s3.ts';
import { checkOut, lines, type Sources, TestBucket } from './remote-rig.ts';
import type { Rig } from './rig.ts';

const service = await startS3();
if (service) {
  const test = suite('reading with a remote cache');
  const bucket = await TestBucket.create(service, 'cache');
  const { env } = bucket;
  const down = { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  const sources: Sources = { big: lines(1500, 1), packed: gzipSync(lines(200, 2)) };
  const dsbuild = (rig: Rig, words: string, surroundings = env) => run(words.split(' '), { engine, cwd: rig.root, env: surroundings });
  const builder = checkOut(sources);
  await builder.build({ env });
  const shard = Object.keys(builder.tree('train')).find((name) => name.endsWith('.parquet'));
  const readings = [
    'head raw --json -n 3',
    'head clean --json -n 3 --random --seed 5',
    'head tokens --json -n 3',
    'head shards --json -n 2',
    'trace shards:3 --json',
    'trace in/big.jsonl:7 --json',
    `trace train/${shard}:1 --json`,
    'stats tokens --figures --json',
  ];

  const there: Record<string, string> = {};
  for (const words of readings) {
    const { code, stdout, stderr } = await dsbuild(builder, words, down);
    assert.equal([code, stderr], [0, ''], words);
    there[words] = stdout;
  }

  const blobsIn = (rig: Rig): number => Object.keys(rig.tree('.dsbuild/store/v1')).filter((name) => /^[0-9a-f]{2}\//.test(name)).length;

  test.after(async () => {
    bucket.close();
    await service.stop();
  });

  for (const words of readings) {
    test(`${words} in a fresh checkout`, async () => {
      const shown = await dsbuild(checkOut(sources), words);
      assert.equal([shown.code, shown.stderr], [0, '']);
      assert.is(shown.stdout, there[words]);
    });
  }

  test('of a fresh checkout only what is shown is fetched, and it stays: nothing is asked for a second time', async () => {
    const rig = checkOut(sources);
    await dsbuild(rig, 'head tokens --json -n 3');
    assert.is(blobsIn(rig), 1);
    const again = await dsbuild(rig, 'head tokens --json -n 3', down);
    assert.equal([again.code, again.stderr, again.stdout], [0, '', there['head tokens --json -n 3']]);
    await dsbuild(rig, 'cache pull');
    assert.ok(blobsIn(rig) > 3);
  });

  test('after a build with --no-publish, and after the store was collected, all of it is shown again', async () => {
    const fresh = checkOut(sources);
    assert.equal((await fresh.build({ env, publish: false })).ran, []);
    const collected = checkOut(sources);
    await collected.build({ env });
    assert.is((await dsbuild(collected, 'cache gc --max 0')).code, 0);
    assert.is(blobsIn(collected), 0);
    for (const words of readings) {
      for (const rig of [fresh, collected]) {
        const shown = await dsbuild(rig, words);
        assert.equal([shown.code, shown.stderr, shown.stdout], [0, '', there[words]], words);
      }
    }
  });

  test('what was dropped comes with its reasons', async () => {
    const dropping = { charsMin: '60' };
    await builder.build({ env, params: dropping });
    const words = 'head clean --rejected --json -n 3 --set charsMin=60';
    const wanted = await dsbuild(builder, words, down);
    assert.match(wanted.stdout, '"reason":"too-short"');
    assert.equal(await dsbuild(checkOut(sources), words), wanted);
    const without = await dsbuild(checkOut(sources), `${words.replace(' --json', '')} --no-remote`);
    assert.equal([without.code, without.stdout], [1, '']);
    assert.match(without.stderr, '[not-built]');
  });

  test('diff fetches the documents of both runs', async () => {
    const rig = checkOut(sources);
    const before = outputsOf(await rig.build({ env, targets: ['raw'] }));
    rig.write({ 'in/packed.jsonl.gz': gzipSync(lines(199, 2)) });
    const after = outputsOf(await rig.build({ env, targets: ['raw'] }));
    const differences = async (remote: boolean): Promise<string> => {
      const project = await openProject({ cwd: rig.root, params: {}, env, emit: () => undefined, signal: new AbortController().signal });
      try {
        const items = [];
        for await (const item of engine.diff(project, { before, after, targets: [], samples: 3, use: { remote } })) items.push(item);
        return JSON.stringify(items);
      } finally {
        project.close();
      }
    };
    const wanted = await differences(false);
    assert.match(wanted, '"changes":{"added":0,"removed":1,"changed":0}');
    await dsbuild(rig, 'cache gc --max 0');
    assert.match(await differences(false), 'no longer');
    assert.is(await differences(true), wanted);
  });

  for (const [how, words, surroundings, warnings] of [
    ['with --no-remote', '--no-remote', env, 0],
    ['with --offline', '--offline', env, 0],
    ['where no remote is named', '', {}, 0],
    ['of a remote that is down', '', down, 1],
  ] as const) {
    test(`${how} what is not here is told as before`, async () => {
      const rig = checkOut(sources);
      const heads = await dsbuild(rig, `head tokens ${words}`.trim(), surroundings);
      assert.is(heads.code, 1);
      assert.match(heads.stderr, 'tokens is not built as the config stands');
      assert.is(heads.stderr.match(/remote-down/g)?.length ?? 0, warnings);
      await rig.build({ env, publish: false });
      const gone = await dsbuild(rig, `head tokens ${words}`.trim(), surroundings);
      assert.is(gone.code, 1);
      assert.match(gone.stderr, '[missing-bytes]');
      assert.match(gone.stderr, 'dsbuild cache pull');
      const traced = await dsbuild(rig, `trace shards:3 ${words}`.trim(), surroundings);
      assert.is(traced.code, 1);
      assert.match(traced.stderr, '[not-here]');
    });
  }

  test('what is damaged on the remote is not shown, and the store takes none of it', async () => {
    const rig = checkOut(sources);
    await rig.build({ env, publish: false });
    for (const name of await bucket.names()) {
      if (!/\/blobs?\//.test(name)) continue;
      const bytes = await bucket.get(name);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      await bucket.put(name, bytes);
    }
    const { code, stdout, stderr } = await dsbuild(rig, 'head tokens -n 3');
    assert.equal([code, stdout], [1, '']);
    assert.match(stderr, '[missing-bytes]');
    assert.is(blobsIn(rig), 0);
  });

  test.run();
}
