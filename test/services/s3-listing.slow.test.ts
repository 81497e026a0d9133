import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from '../build/matrix.ts';
import { errorsOf, type Outcome, ran, type TestProject } from '../build/project.ts';
import { type S3Service, startS3 } from './s3.ts';
import { S3Project } from './s3-project.ts';

const service = await startS3();

const config = (sources: string): string => `import { defineConfig, download, exportDataset, s3 } from 'dsbuild';
const raw = download({ sources: { ${sources} } });
const text = exportDataset(raw, { format: 'jsonl', out: 'out' });
export default defineConfig({ targets: { raw, text }, chunking: { chunkSize: '8KB' } });
`;

const fetches = (outcome: Outcome): number => ran(outcome)['raw fetch'] ?? 0;
const codes = (outcome: Outcome): string[] => errorsOf(outcome).map(({ code }) => code);
const lockLines = (project: TestProject): string[] => project.read('dsbuild.lock').trim().split('\n').slice(1);

async function update(project: TestProject): Promise<string> {
  const running = project.startText('update', 'raw');
  assert.is(await running.done, 0, running.text);
  return running.text;
}

function define(service: S3Service): void {
  const test = suite('s3 listings as sources');
  let project: S3Project;

  test.before.each(async () => {
    project = await S3Project.on(service);
  });
  test.after.each(() => project.end());
  test.after(() => service.stop());

  const declare = (pattern: string, group = 'web/data'): void =>
    project.write('datasets.config.ts', config(`'${group}': 's3://${project.bucket}/${pattern}'`));

  test('all objects that match are fetched, listed with one request and never looked at one by one; a second build asks nothing', async () => {
    await project.putAll({ 'raw/b.jsonl': records(2), 'raw/x/a.jsonl': records(1), 'raw/notes.txt': 'no', 'other/c.jsonl': records(3) });
    await project.put('raw/x/', Buffer.alloc(0));
    declare('raw/**/*.jsonl');
    const first = await project.build();
    assert.equal(errorsOf(first), []);
    assert.equal(project.counts(), { LIST: 1, GET: 2 });
    assert.is(project.read('out/web/data.jsonl'), records(2) + records(1));
    const second = await project.build();
    assert.equal(second.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
    assert.equal(project.counts(), {});
  });

  test('with a star in its name each object is a group; compressed ones are unwrapped', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/deep/b.jsonl': records(2) });
    await project.put('raw/c.jsonl.gz', gzipSync(records(3)));
    declare('raw/**', 'web/*');
    assert.equal(errorsOf(await project.build()), []);
    assert.is(project.read('out/web/a.jsonl'), records(1));
    assert.is(project.read('out/web/deep/b.jsonl'), records(2));
    assert.is(project.read('out/web/c.jsonl'), records(3));
  });

  test('objects that appear, change or go count only from dsbuild update on; then only they are fetched', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2), 'raw/c.jsonl': records(3) });
    declare('raw/*.jsonl');
    await project.build();
    project.taken();
    const lock = project.read('dsbuild.lock');
    await project.putAll({ 'raw/b.jsonl': records(4), 'raw/d.jsonl': records(5) });
    await project.removeObject('raw/a.jsonl');
    assert.is((await project.build()).summary.steps.ran, 0);
    assert.equal(project.counts(), {});
    const said = await update(project);
    assert.match(said, '1 object is new (d.jsonl), 1 was replaced (b.jsonl), 1 is gone (a.jsonl)');
    assert.equal(project.counts(), { LIST: 1, GET: 2 });
    assert.is.not(project.read('dsbuild.lock'), lock);
    assert.is(readdirSync(project.path('dsbuild.lock.d')).length, 1);
    const built = await project.build();
    assert.is(fetches(built), 0);
    assert.is(project.read('out/web/data.jsonl'), records(4) + records(3) + records(5));
  });

  test('2,500 objects are listed with three requests and are two lines of the lock; one more fetches one, and makes its own chunks only', async () => {
    const nameOf = (i: number): string => `raw/${i % 7}/${String(i).padStart(5, '0')}.${i % 25 === 0 ? 'jsonl' : 'txt'}`;
    await project.putAll(Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [nameOf(i), `{"text":"${i}"}\n`])));
    declare('raw/**/*.jsonl');
    const first = await project.build();
    assert.equal(errorsOf(first), []);
    assert.equal(project.counts(), { LIST: 3, GET: 100 });
    assert.is(project.read('out/web/data.jsonl').split('\n').length, 101);
    assert.equal(
      lockLines(project).map((line) => line.split(' ')[0]),
      ['contents', 'listing'],
    );
    await project.put('raw/3/new.jsonl', records(7));
    const said = await update(project);
    assert.match(said, '1 object is new (3/new.jsonl)');
    assert.equal(project.counts(), { LIST: 3, GET: 1 });
    const again = await project.build();
    assert.is(fetches(again), 0);
    assert.is(project.read('out/web/data.jsonl').split('\n').length, 137);
  });

  test('a fresh clone with the lock fetches the pinned objects and no others, without listing them', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    await project.build();
    await project.put('raw/new.jsonl', records(3));
    project.taken();
    project.remove('.dsbuild');
    project.remove('out');
    const outcome = await project.build('--locked');
    assert.equal(errorsOf(outcome), []);
    assert.equal(project.counts(), { GET: 2 });
    assert.is(project.read('out/web/data.jsonl'), records(1) + records(2));
  });

  test('without the file beside the lock the bucket is listed, and what it lists proves itself by the digest in the lock', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    await project.build();
    const [lock, files] = [project.read('dsbuild.lock'), project.list('dsbuild.lock.d')];
    for (const path of ['.dsbuild', 'dsbuild.lock.d']) project.remove(path);
    assert.equal(errorsOf(await project.build('--locked')), []);
    assert.equal([project.read('dsbuild.lock'), project.list('dsbuild.lock.d')], [lock, files]);
    for (const path of ['.dsbuild', 'dsbuild.lock.d']) project.remove(path);
    await project.put('raw/new.jsonl', records(3));
    const [error] = errorsOf(await project.build());
    assert.is(error?.code, 'listing-lost');
    assert.match(error?.hint ?? '', 'dsbuild update');
  });

  test('an object that was replaced or removed since it was pinned is an error that names it and dsbuild update', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    await project.build();
    for (const [change, word] of [
      [() => project.put('raw/b.jsonl', records(3)), 'replaced'],
      [() => project.removeObject('raw/b.jsonl'), 'removed'],
    ] as const) {
      await change();
      project.remove('.dsbuild');
      const [error] = errorsOf(await project.build());
      assert.is(error?.code, 'source-changed-remotely');
      assert.match(`${error?.where} ${error?.message}`, new RegExp(`raw/b.jsonl .*${word} since it was listed`));
      assert.match(error?.hint ?? '', 'dsbuild update');
    }
    await project.put('raw/b.jsonl', records(2));
    assert.equal(errorsOf(await project.build()), []);
  });

  test('in a bucket that keeps versions, objects that were replaced or removed since are had as they were pinned', async () => {
    await project.keepVersions();
    await project.put('raw/a.jsonl', records(5));
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    project.write('datasets.config.ts', config(`'web/data': s3('s3://${project.bucket}/raw/*.jsonl', { versions: true })`));
    assert.equal(errorsOf(await project.build()), []);
    assert.is(project.read('out/web/data.jsonl'), records(1) + records(2));
    await project.put('raw/a.jsonl', records(3));
    await project.removeObject('raw/b.jsonl');
    for (const path of ['.dsbuild', 'out']) project.remove(path);
    assert.equal(errorsOf(await project.build('--locked')), []);
    assert.is(project.read('out/web/data.jsonl'), records(1) + records(2));
    assert.match(await update(project), '1 was replaced (a.jsonl), 1 is gone (b.jsonl)');
    assert.equal(errorsOf(await project.build()), []);
    assert.is(project.read('out/web/data.jsonl'), records(3));
  });

  test('bytes are held against what the lock says that each object held, whatever the server says of it', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    await project.build();
    const [file = ''] = project.list('dsbuild.lock.d');
    project.edit(file, (text) => text.replace(/[0-9a-f]{64}\n$/, `${'f'.repeat(64)}\n`));
    project.remove('.dsbuild');
    assert.equal(codes(await project.build()), ['pin-mismatch']);
  });

  test('a killed build goes on with what it had; nothing is fetched twice', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2), 'raw/c.jsonl': records(3) });
    declare('raw/*.jsonl');
    let open = (): void => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    project.proxy.decide = ({ path }) => (path.includes('c.jsonl') ? { do: 'hold', until: held } : undefined);
    const running = project.start('build', '--json', '--plain');
    let ended = 0;
    await running.says((event) => event.type === 'step-finished' && event.step === 'fetch' && ++ended === 2);
    await running.kill();
    open();
    project.taken();
    const outcome = await project.build();
    assert.equal(errorsOf(outcome), []);
    assert.is(fetches(outcome), 1);
    assert.equal(project.counts(), { GET: 1 });
  });

  test('a body that is cut is gone on with where it stopped', async () => {
    const large = records(1, 4000);
    await project.put('raw/a.jsonl', large);
    declare('raw/*.jsonl');
    let cuts = 0;
    project.proxy.decide = ({ path }) => (path.includes('a.jsonl') && cuts++ === 0 ? { do: 'cut', bytes: 200_000 } : undefined);
    assert.equal(errorsOf(await project.build()), []);
    const ranges = project.taken().flatMap(({ headers }) => headers.range ?? []);
    assert.is(ranges.length, 1);
    assert.is.not(ranges[0], 'bytes=0-');
    assert.is(project.read('out/web/data.jsonl'), large);
  });

  test('names that lead elsewhere, or fall together, are refused by name; the lock stays as it was', async () => {
    await project.put('raw/a.jsonl', records(1));
    declare('raw/**', 'web/*');
    await project.build();
    const lock = project.read('dsbuild.lock');
    const fresh = project.another();
    try {
      fresh.copyIn(project.path('datasets.config.ts'), 'datasets.config.ts');
      for (const [names, shown] of [
        [['back\\slash.jsonl'], '"back\\\\slash.jsonl"'],
        [['caf\u00e9.jsonl', 'cafe\u0301.jsonl'], '"caf\\u00e9.jsonl"'],
        [['line\nend.jsonl'], 'control character'],
      ] as const) {
        for (const name of names) await project.put(`raw/${name}`, records(2));
        const [error] = errorsOf(await fresh.build());
        assert.is(error?.code, 'bad-object-name');
        assert.ok(error?.message.includes(shown), error?.message);
        const running = project.startText('update', 'raw');
        assert.is(await running.done, 2);
        assert.is(project.read('dsbuild.lock'), lock);
        for (const name of names) await project.removeObject(`raw/${name}`);
      }
    } finally {
      fresh.end();
    }
    assert.equal((await project.build()).summary.steps.ran, 0);
  });

  test('status and a dry run tell objects and bytes before anything is fetched, and write nothing', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    const bytes = Buffer.byteLength(records(1) + records(2));
    const status = async (): Promise<unknown> => {
      const running = project.startText('status', '--json', 'raw');
      await running.done;
      return (JSON.parse(running.text) as { targets: { sources: unknown[] }[] }).targets[0]?.sources[0];
    };
    const source = `s3://${project.bucket}/raw/*.jsonl`;
    assert.equal(await status(), { group: 'web/data', source, state: 'not-fetched', files: 2, bytes });
    assert.equal(project.counts(), { LIST: 1 });
    assert.not(project.has('dsbuild.lock') || project.has('dsbuild.lock.d'));
    await project.build();
    project.taken();
    assert.equal(await status(), { group: 'web/data', source, state: 'fetched', files: 2, bytes });
    assert.equal(project.counts(), {});
  });

  test('what it can not do it says: nothing matches, --locked, --offline, a bucket that is not there', async () => {
    declare('raw/*.jsonl');
    assert.equal(codes(await project.build()), ['no-source']);
    await project.put('raw/a.jsonl', records(1));
    assert.equal(codes(await project.build('--locked')), ['lock-would-change']);
    assert.equal(codes(await project.build('--offline')), ['offline']);
    assert.not(project.has('dsbuild.lock.d'));
    project.write('datasets.config.ts', config(`'web/data': 's3://no-such-bucket/*.jsonl'`));
    const [error] = errorsOf(await project.build());
    assert.is(error?.code, 'list-failed');
    assert.match(error?.hint ?? '', 'no bucket no-such-bucket');
  });

  test('why names the objects that are new, replaced and gone, also when the lock came from elsewhere', async () => {
    await project.putAll({ 'raw/a.jsonl': records(1), 'raw/b.jsonl': records(2) });
    declare('raw/*.jsonl');
    await project.build();
    const other = project.another();
    try {
      for (const name of ['datasets.config.ts', 'dsbuild.lock', 'dsbuild.lock.d']) other.copyIn(project.path(name), name);
      await project.put('raw/c.jsonl', records(3));
      await project.removeObject('raw/a.jsonl');
      await update(other);
      project.remove('dsbuild.lock.d');
      for (const name of ['dsbuild.lock', 'dsbuild.lock.d']) project.copyIn(other.path(name), name);
    } finally {
      other.end();
    }
    const { events } = await project.build();
    const why = events.flatMap((event) => (event.type === 'target-started' && event.target === 'raw' ? event.why : []));
    assert.equal(why, ['source "web/data": 1 object is new (c.jsonl), 1 is gone (a.jsonl)']);
  });

  test.run();
}

if (service) define(service);
else {
  const test = suite('s3 listings as sources');
  test('needs versitygw', () => assert.is(service, undefined));
  test.run();
}
