import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from '../build/matrix.ts';
import { errorsOf, type Outcome, ran, type TestProject, tinyTokenizer, warningsOf } from '../build/project.ts';
import type { SeenRequest } from './faults.ts';
import { type S3Service, startS3 } from './s3.ts';
import { S3Project } from './s3-project.ts';

const service = await startS3();

const config = (
  out: string,
  more = '',
): string => `import { defineConfig, download, exportDataset, files, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'm/*': files('in/**/*.jsonl') } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer/tokenizer.json' });
const shards = shard(tokens, { maxSeqLength: 64, shardSize: '60KB', packTokens: 6000, out: '${out}'${more} });
const train = index(shards);
const text = exportDataset(raw, { format: 'jsonl', out: 'out/text' });
export default defineConfig({ targets: { raw, tokens, shards, train, text }, chunking: { chunkSize: '8KB' } });
`;

const codes = (outcome: Outcome): string[] => errorsOf(outcome).map(({ code }) => code);
const stateName = '.dsbuild-published';
/** Names of objects that were written, in their order. */
const written = (requests: readonly SeenRequest[], prefix: string): string[] =>
  requests.flatMap(({ method, path: whole }) => {
    const path = decodeURIComponent(new URL(whole, 'http://host').pathname);
    return method === 'PUT' ? [path.slice(prefix.length)] : [];
  });

function define(service: S3Service): void {
  const test = suite('out on s3');
  let project: S3Project;
  let out = '';
  let prefix = '';

  test.before.each(async () => {
    project = await S3Project.on(service);
    out = `s3://${project.bucket}/sets/train`;
    prefix = `/${project.bucket}/sets/train/`;
    prepare(project);
  });
  test.after.each(() => project.end());
  test.after(() => service.stop());

  function prepare(where: TestProject, more = ''): void {
    where.copyIn(tinyTokenizer, 'tokenizer');
    where.write('in/a.jsonl', records(0));
    where.write('in/b.jsonl', records(1));
    where.write('datasets.config.ts', config(out, more));
  }

  const objects = async (): Promise<Record<string, string>> =>
    Object.fromEntries(Object.entries(await project.objects('sets/train/')).map(([key, etag]) => [key.slice('sets/train/'.length), etag]));
  const data = async (): Promise<string[]> => Object.keys(await objects()).filter((name) => name !== stateName);

  test('shards have names by their digests, the manifest is written last; a second build lists once and writes nothing', async () => {
    const first = await project.build();
    assert.equal(errorsOf(first), []);
    const names = written(project.taken(), prefix);
    assert.equal([names[0], ...names.slice(-2)], [stateName, 'manifest.json', stateName]);
    const shards = (await data()).filter((name) => name.endsWith('.parquet'));
    assert.ok(shards.length >= 3);
    for (const name of shards) assert.match(name, /^[ab]\/[0-9a-f]{16}\.parquet$/);
    const manifest = JSON.parse((await project.get('sets/train/manifest.json')).toString()) as { splits: Record<string, { path: string }> };
    assert.is(manifest.splits['a']?.path, `${out}/a`);
    const second = await project.build();
    assert.equal(second.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
    assert.equal(project.counts(), { LIST: 1 });
  });

  test('an edited line sends what is new of it; what nobody wants any more goes after the new manifest is there', async () => {
    await project.build();
    const before = await objects();
    project.taken();
    project.edit('in/b.jsonl', (text) => text.replace(/[a-z]+\."\}\n$/, 'edited."}\n'));
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    const asked = project.taken();
    const after = await objects();
    const names = written(asked, prefix);
    const fresh = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
    assert.is(fresh.length, 1);
    assert.equal(names.slice(1, -3).sort(), [...fresh, 'b_stats.json'].sort());
    const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
    assert.is(gone.length, 1);
    const removal = asked.findIndex(({ method }) => method === 'POST');
    assert.ok(removal > asked.findIndex(({ method, path }) => method === 'PUT' && path.includes('manifest.json')));
    for (const name of Object.keys(after)) if (name.startsWith('a/')) assert.is(after[name], before[name]);
  });

  test('a fresh checkout knows what another machine published, and sends nothing', async () => {
    await project.build();
    const before = await objects();
    project.taken();
    const other = project.another();
    try {
      prepare(other);
      assert.equal(errorsOf(await other.build()), []);
      assert.equal(project.counts(), { LIST: 1, GET: 1 });
      other.edit('in/b.jsonl', (text) => `${text}{"text":"one more"}\n`);
      assert.equal(errorsOf(await other.build()), []);
    } finally {
      other.end();
    }
    const after = await objects();
    assert.is.not(after['manifest.json'], before['manifest.json']);
    // The first machine still has what it built: it brings that back.
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(Object.keys(await objects()), Object.keys(before));
  });

  test('without the object that says what ours are, objects are known by the digest that they carry', async () => {
    await project.build();
    const before = await objects();
    await project.removeObject(`sets/train/${stateName}`);
    project.taken();
    assert.equal(errorsOf(await project.build()), []);
    const counts = project.counts();
    assert.equal([counts['HEAD'], counts['PUT']], [Object.keys(before).length - 1, 1]);
    assert.equal(Object.keys(await objects()), Object.keys(before));
  });

  test('what someone else changed or put there is neither overwritten nor removed, and named', async () => {
    await project.put('sets/train/notes.txt', 'mine');
    await project.build();
    const [shard = ''] = (await data()).filter((name) => name.startsWith('b/'));
    await project.put('sets/train/manifest.json', 'edited');
    const [error] = errorsOf(await project.build());
    assert.equal([error?.code, error?.where], ['edited', `${out}/manifest.json`]);
    assert.is((await project.get('sets/train/manifest.json')).toString(), 'edited');
    assert.equal(errorsOf(await project.build('--overwrite')), []);
    assert.is.not((await project.get('sets/train/manifest.json')).toString(), 'edited');
    await project.put(`sets/train/${shard}`, 'also edited');
    project.remove('in/b.jsonl');
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    assert.equal(
      warningsOf(outcome).map(({ code, where }) => [code, where]),
      [['edited', `${out}/${shard}`]],
    );
    assert.equal(
      (await data()).filter((name) => !name.startsWith('a')),
      [shard, 'manifest.json', 'notes.txt'],
    );
  });

  test('an object that went is sent again', async () => {
    await project.build();
    const before = await objects();
    const [shard = ''] = (await data()).filter((name) => name.startsWith('a/'));
    await project.removeObject(`sets/train/${shard}`);
    project.taken();
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(written(project.taken(), prefix), [stateName, shard, stateName]);
    assert.equal(Object.keys(await objects()), Object.keys(before));
  });

  test('--check and status say with one LIST whether it is up to date', async () => {
    const check = async (): Promise<{ code: unknown; problems: string[] }> => {
      project.taken();
      const running = project.startText('status', '--check', '--json');
      const code = await running.done;
      const { targets } = JSON.parse(running.text) as { targets: { outProblems: string[] }[] };
      return { code, problems: [...new Set(targets.flatMap(({ outProblems }) => outProblems))] };
    };
    await project.build('--no-publish');
    assert.equal(await check(), {
      code: 3,
      problems: [`nothing is published in ${out} yet`, `nothing is published in ${project.path('out/text')} yet`],
    });
    await project.build();
    assert.equal(await check(), { code: 0, problems: [] });
    assert.equal(project.counts(), { LIST: 1 });
    const [shard = ''] = (await data()).filter((name) => name.startsWith('b/'));
    await project.removeObject(`sets/train/${shard}`);
    assert.equal(await check(), { code: 3, problems: [`${out}/${shard} is missing`] });
    await project.put(`sets/train/${shard}`, 'edited');
    assert.equal(await check(), { code: 3, problems: [`${out}/${shard} is not as it was published`] });
    await project.build('--overwrite');
    project.edit('in/b.jsonl', (text) => `${text}{"text":"one more"}\n`);
    await project.build('--no-publish');
    assert.match((await check()).problems[0] ?? '', /^s3:\S+ holds what another build published: \d files? (is|are) to be written/);
  });

  test('an upload that fails fails the build, with what to do; other folders are published, and the next build goes on', async () => {
    project.proxy.decide = ({ method, path }) => (method === 'PUT' && path.includes('/a/') ? { do: 'answer', status: 403 } : undefined);
    const outcome = await project.build();
    assert.equal(codes(outcome), ['publish-failed']);
    assert.is(outcome.code, 1);
    assert.match(errorsOf(outcome)[0]?.hint ?? '', 's3:PutObject');
    assert.ok(project.has('out/text/m/a.jsonl'));
    assert.not.ok((await data()).includes('manifest.json'));
    project.proxy.decide = () => undefined;
    project.taken();
    const next = await project.build();
    assert.equal([errorsOf(next), next.summary.steps.ran], [[], 0]);
    assert.not.ok(written(project.taken(), prefix).some((name) => name.startsWith('b/')));
    assert.ok((await data()).includes('manifest.json'));
  });

  test('kill -9 before the manifest leaves the old state readable; the next build ends what was begun', async () => {
    await project.build();
    const before = await objects();
    project.edit('in/b.jsonl', (text) => `${text}{"text":"one more"}\n`);
    let meet = (): void => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    project.proxy.decide = ({ method, path }) => {
      if (method !== 'PUT' || !path.includes('manifest.json')) return undefined;
      meet();
      return { do: 'black-hole' };
    };
    const running = project.start('build', '--json', '--plain');
    await met;
    await running.kill();
    const between = await objects();
    for (const [name, etag] of Object.entries(before)) if (![stateName, 'b_stats.json'].includes(name)) assert.is(between[name], etag);
    project.proxy.decide = () => undefined;
    project.taken();
    const outcome = await project.build();
    assert.equal([errorsOf(outcome), ran(outcome)], [[], {}]);
    assert.equal(written(project.taken(), prefix), [stateName, 'manifest.json', stateName, stateName]);
    const clean = project.another();
    try {
      prepare(clean);
      clean.write('in/b.jsonl', project.read('in/b.jsonl'));
      clean.write('datasets.config.ts', config(`s3://${project.bucket}/sets/clean`));
      assert.equal(errorsOf(await clean.build()), []);
    } finally {
      clean.end();
    }
    const cleanly = await project.objects('sets/clean/');
    assert.equal(
      (await data()).filter((name) => name !== 'manifest.json'),
      Object.keys(cleanly)
        .map((key) => key.slice('sets/clean/'.length))
        .filter((name) => ![stateName, 'manifest.json'].includes(name)),
    );
  });

  test('two builds that publish the same at once end with all of it there', async () => {
    const other = project.another();
    try {
      prepare(other);
      const outcomes = await Promise.all([project.build(), other.build()]);
      for (const outcome of outcomes) assert.equal(errorsOf(outcome), []);
    } finally {
      other.end();
    }
    project.taken();
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(project.counts()['PUT'], undefined);
  });

  test('numbers as names when asked for; a sample and --no-publish send nothing; --offline says that it can not publish', async () => {
    prepare(project, ", names: 'number'");
    for (const flags of [['--sample', '5'], ['--no-publish']]) assert.equal(errorsOf(await project.build(...flags)), []);
    assert.equal(project.taken(), []);
    assert.equal(codes(await project.build('--offline')), ['offline']);
    assert.ok(project.has('out/text/m/a.jsonl'));
    await project.build();
    assert.ok((await data()).includes('a/shard_0000.parquet'));
  });

  test('verify names objects that are gone, were replaced or are damaged; with --quick it reads none', async () => {
    await project.build();
    const found = async (...flags: string[]): Promise<unknown> => {
      const running = project.startText('verify', '--json', ...flags);
      const code = await running.done;
      const items = running.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; code: string; where: string; files: number });
      files = items.at(-1)?.files ?? 0;
      return [code, items.flatMap((item) => (item.type === 'finding' ? [[item.code, item.where]] : []))];
    };
    let files = 0;
    const objectCount = (await data()).length;
    project.taken();
    assert.equal(await found(), [0, []]);
    assert.equal(project.counts(), { LIST: 1, GET: objectCount });
    const filesRead = files;
    assert.equal(await found('--quick'), [0, []]);
    assert.equal([project.counts(), filesRead - files], [{ LIST: 1 }, objectCount]);
    const [shard = ''] = (await data()).filter((name) => name.startsWith('b/'));
    const [other = ''] = await data();
    project.proxy.decide = ({ method, path }) =>
      method === 'GET' && decodeURIComponent(path).includes(`/${other}`) ? { do: 'flip', at: 100 } : undefined;
    assert.equal(await found(), [1, [['damaged-file', `${out}/${other}`]]]);
    project.proxy.decide = () => undefined;
    await project.removeObject(`sets/train/${shard}`);
    await project.put('sets/train/manifest.json', 'edited');
    assert.equal(await found(), [
      1,
      [
        ['missing-file', `${out}/${shard}`],
        ['changed-file', `${out}/manifest.json`],
      ],
    ]);
  });

  test('an object of more than 16 MiB is sent in parts', async () => {
    project.write(
      'in/a.jsonl',
      Array.from({ length: 300 }, (_, i) => `${JSON.stringify({ text: `${i} ${'river stone '.repeat(5500)}` })}\n`).join(''),
    );
    project.write(
      'datasets.config.ts',
      `import { defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'm/a': 'in/a.jsonl' } });
export default defineConfig({ targets: { far: exportDataset(raw, { format: 'jsonl', out: '${out}' }), near: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });
`,
    );
    assert.equal(errorsOf(await project.build()), []);
    const counts = project.counts();
    assert.equal([counts['PUT part'], counts['POST upload']], [3, 2]);
    assert.ok((await project.get('sets/train/m/a.jsonl')).equals(readFileSync(project.path('out/m/a.jsonl'))));
    assert.equal(errorsOf(await project.build()), []);
    assert.equal(project.counts(), { LIST: 1 });
  });

  test('a row of a published object can be traced by its address', async () => {
    await project.build();
    const [shard = ''] = (await data()).filter((name) => name.startsWith('b/'));
    const running = project.startText('trace', `${out}/${shard}:0`);
    assert.is(await running.done, 0, running.text);
    assert.match(running.text, 'in/b.jsonl');
  });

  test.run();
}

if (service) define(service);
else {
  const test = suite('out on s3');
  test('needs versitygw', () => assert.is(service, undefined));
  test.run();
}
