/** The shared cache with the real program: killed and interrupted while it uploads, and two jobs at once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RemoteSummary } from '../../src/base/events.ts';
import { lines, TestBucket } from '../engine/remote-rig.ts';
import { startFaults } from '../services/faults.ts';
import { startS3 } from '../services/s3.ts';
import { startToxiproxy } from '../services/toxiproxy.ts';
import { errorsOf, type Outcome, ranInAll, TestProject, tinyTokenizer } from './project.ts';

const config = `import { defineConfig, download, exportDataset, files, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'text/docs': files('in/*.jsonl') } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer' });
export default defineConfig({
  targets: { raw, tokens, shards: shard(tokens, { maxSeqLength: 64, shardSize: '300KB', packTokens: 40_000, out: 'out/shards' }),
    texts: exportDataset(raw, { format: 'jsonl', out: 'out/texts' }) },
  chunking: { chunkSize: '100KB' },
});
`;

const service = await startS3();
if (service) {
  const test = suite('remote cache, the program');
  const proxy = await startFaults(service.endpoint);
  const bucket = await TestBucket.create(service, 'cache');
  const text = lines(1500, 3);
  const projects: TestProject[] = [];

  function checkOut(env: Readonly<Record<string, string>>): TestProject {
    const project = new TestProject();
    projects.push(project);
    project.write('datasets.config.ts', config);
    project.write('in/docs.jsonl', text);
    project.copyIn(tinyTokenizer, 'tokenizer');
    Object.assign(project.env, env);
    return project;
  }
  const env = { ...bucket.env, AWS_ENDPOINT_URL: proxy.endpoint };
  const remoteOf = ({ summary }: Outcome): RemoteSummary => summary.remote as RemoteSummary;

  const clean = checkOut({});
  assert.is((await clean.build()).code, 0);
  const expected = clean.snapshot();

  /** Requests from the nth upload on are never answered; resolves when the first of these came. */
  function holdUploads(from: number): Promise<void> {
    let uploads = 0;
    return new Promise((resolve) => {
      proxy.decide = ({ method }) => {
        if (method !== 'PUT' || ++uploads < from) return undefined;
        resolve();
        return { do: 'black-hole' };
      };
    });
  }

  test.before.each(async () => {
    proxy.decide = () => undefined;
    await bucket.empty();
  });
  test.after(async () => {
    for (const project of projects) project.end();
    bucket.close();
    await proxy.close();
    await service.stop();
  });

  test('kill -9 in the middle of uploads leaves a remote that is whole, and a folder that goes on', async () => {
    for (const from of [1, 4, 9]) {
      const project = checkOut(env);
      const held = holdUploads(from);
      const running = project.start('build', '--json', '--plain');
      await held;
      await running.kill();
      proxy.decide = () => undefined;
      const other = checkOut(env);
      const built = await other.build();
      assert.is(built.code, 0);
      assert.equal(other.snapshot(), expected);
      assert.is(remoteOf(built).damaged, 0);
      assert.is((await project.build()).code, 0);
      assert.equal(project.snapshot(), expected);
      await bucket.empty();
    }
  });

  test('Ctrl-C gives uploads up at once: what was built is kept, and `cache push` sends the rest', async () => {
    const project = checkOut(env);
    const held = holdUploads(3);
    const running = project.start('build', '--json', '--plain');
    await held;
    await running.says((event) => event.type === 'published');
    running.interrupt();
    assert.is((await running.done).code, 130);
    proxy.decide = () => undefined;
    assert.is(ranInAll(await project.build()), 0);
    assert.is((await project.start('cache', 'push', '--json').done).code, 0);
    const other = checkOut(env);
    assert.is(ranInAll(await other.build()), 0);
    assert.equal(other.snapshot(), expected);
  });

  test('two jobs that fill one remote at once both end well, and the third finds all of it', async () => {
    const [one, two] = [checkOut(env), checkOut(env)];
    const outcomes = await Promise.all([one.build(), two.build()]);
    for (const outcome of outcomes) {
      assert.equal([outcome.code, errorsOf(outcome), remoteOf(outcome).failures], [0, [], 0]);
    }
    assert.equal([one.snapshot(), two.snapshot()], [expected, expected]);
    const third = checkOut(env);
    assert.is(ranInAll(await third.build('--require-remote')), 0);
    assert.equal(third.snapshot(), expected);
  });

  test('--check asks the remote: a fresh checkout of what was built is not stale, an edited one is', async () => {
    await checkOut(env).build();
    const fresh = checkOut(env);
    assert.is((await fresh.start('build', '--check', '--no-publish', '--json').done).code, 0);
    fresh.append('in/docs.jsonl', '{"text":"one more line"}\n');
    assert.is((await fresh.start('build', '--check', '--no-publish', '--json').done).code, 3);
  });

  test('a remote that never answers costs a build a while and nothing else', async () => {
    proxy.decide = () => ({ do: 'black-hole' });
    const project = checkOut(env);
    project.edit('datasets.config.ts', (config) => config.replace('chunking:', 'cache: { timeoutSeconds: 0.3 },\n  chunking:'));
    const built = await project.build();
    assert.equal([built.code, remoteOf(built).state, project.snapshot()], [0, 'down', expected]);
  });

  test('a remote with 400 ms to each answer, and one that is reset in between, are of use and do no harm', async () => {
    const toxi = await startToxiproxy();
    if (!toxi) return;
    try {
      const toxics = await toxi.proxy(service.endpoint);
      const slow = { ...env, AWS_ENDPOINT_URL: toxics.endpoint };
      await toxics.add({ type: 'latency', ms: 400 });
      assert.is((await checkOut(slow).build()).code, 0);
      const fresh = checkOut(slow);
      const built = await fresh.build();
      assert.equal([built.code, ranInAll(built), remoteOf(built).failures, fresh.snapshot()], [0, 0, 0, expected]);
      await toxics.clear();
      await toxics.add({ type: 'reset', afterMs: 5 });
      const reset = checkOut(slow);
      assert.equal([(await reset.build()).code, reset.snapshot()], [0, expected]);
    } finally {
      await toxi.stop();
    }
  });

  test.run();
}
