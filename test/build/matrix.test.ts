import { utimesSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MatrixOptions, matrixConfig, matrixProject, sourceCount, sourceName } from './matrix.ts';
import { errorsOf, type Outcome, ran, type TestProject } from './project.ts';

const test = suite('correctness matrix');

/** 40 sources in 80 chunks; the first is cut into several pack groups and two shards. */
const everyStep = {
  'lower execute': 80,
  'raw check': 80,
  'shards assemble': 41,
  'shards pack': 47,
  'shards split-stats': 40,
  'text join': 1,
  'text render': 80,
  'tokens encode': 80,
  'train manifest': 1,
};

/** One project for all rows: every row ends by putting back what it changed. */
let shared: Promise<{ project: TestProject; cold: Outcome; published: Record<string, string> }> | undefined;
const built = () => {
  shared ??= (async () => {
    const project = matrixProject();
    const cold = await project.build();
    return { project, cold, published: project.snapshot() };
  })();
  return shared;
};

async function buildWell(project: TestProject, ...args: string[]): Promise<Outcome> {
  const outcome = await project.build(...args);
  assert.equal(errorsOf(outcome), []);
  assert.is(outcome.code, 0, outcome.stderr);
  const { steps } = outcome.summary;
  assert.is(
    Object.values(ran(outcome)).reduce((sum, count) => sum + count, 0),
    steps.ran,
    'the events tell of as many steps as the summary',
  );
  return outcome;
}

/** After everything was put back: no step, and the bytes of the first build. */
async function assertBack(project: TestProject, published: Record<string, string>): Promise<void> {
  assert.equal(ran(await buildWell(project)), {});
  assert.equal(project.snapshot(), published);
}

async function withOptions(options: MatrixOptions, steps: Record<string, number>): Promise<void> {
  const { project, published } = await built();
  project.write('datasets.config.ts', matrixConfig(options));
  assert.equal(ran(await buildWell(project)), steps);
  project.write('datasets.config.ts', matrixConfig());
  await assertBack(project, published);
}

test.after(async () => {
  if (shared) (await shared).project.end();
});

test('from nothing every step runs once', async () => {
  const { project, cold } = await built();
  assert.equal(errorsOf(cold), []);
  assert.is(cold.code, 0);
  assert.equal(ran(cold), everyStep);
  assert.equal(cold.summary.steps, { ran: 450, hit: 0, restored: 0, failed: 0 });
  const files = project.list('out');
  // Shards and statistics of each split, a second shard of the first, the manifest and the export.
  assert.is(files.length, 2 * sourceCount + 1 + 2);
  const manifest = JSON.parse(project.read('out/shards/manifest.json'));
  assert.is(manifest.files_processed, sourceCount);
  assert.is(manifest.splits.s00.shards, 2);
});

test('a second build runs nothing, asks nothing of any step and writes nothing', async () => {
  const { project, published } = await built();
  const again = await buildWell(project);
  assert.equal(again.summary.steps, { ran: 0, hit: 0, restored: 0, failed: 0 });
  assert.equal(project.snapshot(), published);
  assert.not.ok(again.events.some(({ type }) => type === 'published' || type === 'target-started'));
});

test('sources that were touched, or written again with the same bytes, run nothing', async () => {
  const { project, published } = await built();
  for (let i = 0; i < sourceCount; i++) {
    if (i % 2 === 0) utimesSync(project.path(sourceName(i)), new Date(), new Date());
    else project.edit(sourceName(i), (text) => text);
  }
  await assertBack(project, published);
});

test('one edited line runs the steps of its chunk, its pack group, its shard, the index and the export, and nothing else', async () => {
  const { project, published } = await built();
  const before = project.read(sourceName(0));
  const lines = before.split('\n');
  lines[200] = (lines[200] as string).replace('"text":"', '"text":"one more word in between ');
  project.write(sourceName(0), lines.join('\n'));
  const outcome = await buildWell(project);
  const once = Object.fromEntries(Object.keys(everyStep).map((step) => [step, 1]));
  assert.equal(ran(outcome), once);
  const why = outcome.summary.targets['raw']?.why ?? [];
  assert.is(why.length, 1);
  const [, first, last] = /^source changed: in\/s00\.jsonl, in lines (\d+)-(\d+)$/.exec(why[0] as string) ?? [];
  assert.ok(Number(first) <= 201 && 201 <= Number(last), why[0]);
  const changed = Object.entries(project.snapshot()).filter(([name, digest]) => published[name] !== digest);
  const names = changed.map(([name]) => name.replace(/shard_000[01]/, 'shard'));
  assert.equal(names, ['out/shards/manifest.json', 'out/shards/s00/shard.parquet', 'out/shards/s00_stats.json', 'out/text/data.jsonl']);
  project.write(sourceName(0), before);
  await assertBack(project, published);
});

test('an edit whose result is equal is cut off there', async () => {
  const { project, published } = await built();
  project.edit(sourceName(7), (text) => text.replace('river', 'RIVER'));
  const outcome = await buildWell(project);
  assert.equal(ran(outcome), { 'lower execute': 1, 'raw check': 1 });
  assert.equal(project.snapshot(), published);
  project.edit(sourceName(7), (text) => text.replace('RIVER', 'river'));
  await assertBack(project, published);
});

test('an option of all chunks runs all of theirs, and what comes out equal is cut off; put back, nothing runs', () =>
  withOptions({ version: '2' }, { 'lower execute': 80 }));

test('another sequence length packs anew and tokenizes nothing; put back, nothing runs', () =>
  withOptions({ maxSeqLength: 128 }, { 'shards assemble': 41, 'shards pack': 47, 'shards split-stats': 40, 'train manifest': 1 }));

test('an option of one target runs its steps only; put back, nothing runs', () => withOptions({ splits: 's03' }, { 'train manifest': 1 }));

test('another folder for the outputs runs only the step that writes its name; put back, nothing runs', async () => {
  const { project, published } = await built();
  project.write('datasets.config.ts', matrixConfig({ out: 'elsewhere' }));
  assert.equal(ran(await buildWell(project)), { 'train manifest': 1 });
  const moved = project.snapshot('elsewhere');
  const { 'elsewhere/shards/manifest.json': _, ...others } = moved;
  assert.is(Object.keys(moved).length, Object.keys(published).length);
  for (const [name, digest] of Object.entries(others)) assert.is(digest, published[name.replace('elsewhere', 'out')], name);
  project.write('datasets.config.ts', matrixConfig());
  await assertBack(project, published);
  project.remove('elsewhere');
});

test("other bytes of the tokenizer's file run all that lies behind it; put back, nothing runs", async () => {
  const { project, published } = await built();
  const before = project.read('tokenizer/tokenizer.json');
  project.write('tokenizer/tokenizer.json', `${before}\n`);
  // The same tokens come out, but the metadata of shards tells the tokenizer's digest.
  assert.equal(ran(await buildWell(project)), { 'shards assemble': 41, 'shards pack': 47, 'tokens encode': 80 });
  project.write('tokenizer/tokenizer.json', before);
  await assertBack(project, published);
});

test('a renamed source runs no step that does not write names', async () => {
  const { project, published } = await built();
  project.move(sourceName(5), 'in/s05b.jsonl');
  assert.equal(ran(await buildWell(project)), { 'shards split-stats': 1, 'train manifest': 1 });
  const now = project.snapshot();
  assert.is(now['out/shards/s05b/shard_0000.parquet'], published['out/shards/s05/shard_0000.parquet']);
  assert.is(now['out/shards/s05/shard_0000.parquet'], undefined);
  project.move('in/s05b.jsonl', sourceName(5));
  await assertBack(project, published);
});

test('a source more, and a source less, run their own steps and what gathers', async () => {
  const { project, published } = await built();
  const gone = project.read(sourceName(9));
  project.remove(sourceName(9));
  assert.equal(ran(await buildWell(project)), { 'text join': 1, 'train manifest': 1 });
  assert.not.ok(project.list('out').some((name) => name.includes('s09')));
  project.write(sourceName(9), gone);
  await assertBack(project, published);
});

test('a published file that is gone comes back without a step', async () => {
  const { project, published } = await built();
  for (const name of ['out/shards/s00/shard_0001.parquet', 'out/shards/manifest.json', 'out/text/data.jsonl']) project.remove(name);
  await assertBack(project, published);
  project.remove('out');
  await assertBack(project, published);
});

test('without .dsbuild the same bytes come out again', async () => {
  const { project, published } = await built();
  project.remove('.dsbuild');
  const outcome = await buildWell(project);
  assert.equal(ran(outcome), everyStep);
  assert.equal(project.snapshot(), published);
  project.remove('.dsbuild');
  project.remove('out');
  assert.equal(ran(await buildWell(project)), everyStep);
  await assertBack(project, published);
});

test.run();
