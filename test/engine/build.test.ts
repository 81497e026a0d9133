import { cpSync, existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildError } from '../../src/base/errors.ts';
import { Claims } from '../../src/cache/claims.ts';
import { build } from '../../src/engine/build.ts';
import { Stage } from '../execute/hands.ts';
import { type BuildGiven, type Built, checkout, inlineRunner, Rig } from './rig.ts';

const test = suite('build');

const line = (text: string): string => `${JSON.stringify({ text })}\n`;
const lines = (count: number, word: string): string =>
  Array.from({ length: count }, (_, i) => line(`${word} number ${i} of many`)).join('');

function project(config: string, files: Readonly<Record<string, string>> = {}): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'in/a.jsonl': lines(20, 'apple'), 'in/b.jsonl': lines(20, 'berry'), ...files });
  return rig;
}

const messages = ({ events }: Built): string[] =>
  events.flatMap((event) => (event.type === 'target-failed' ? [`${event.target}: ${event.error.message}`] : []));
const targetsRun = ({ ran }: Built): string[] => [...new Set(ran.map((step) => step.slice(0, step.indexOf(':'))))];

const two = (fails: boolean): string => `import { command, defineConfig, download, exportDataset } from 'dsbuild';
const a = download({ sources: { 'x/a': 'in/a.jsonl' } });
const b = download({ sources: { 'x/b': 'in/b.jsonl' } });
const broken = command(a, { run: ['sh', '-c', '${fails ? 'cat > /dev/null; exit 3' : 'cat'}'], version: '1' });
export default defineConfig({
  targets: {
    a, b, broken,
    fromBroken: exportDataset(broken, { format: 'jsonl', out: 'out/a' }),
    good: exportDataset(b, { format: 'jsonl', out: 'out/b' }),
  },
});
`;

test('with keep-going what does not depend on the failed target is built and published; what does is not', async () => {
  const rig = project(two(true));
  const failed = await rig.build({ keepGoing: true });
  assert.not.ok(failed.summary.ok);
  assert.equal(Object.keys(rig.tree('out')), ['b/x/b.jsonl']);
  assert.equal(
    failed.events.flatMap((event) => (event.type === 'target-blocked' ? [`${event.target} by ${event.by}`] : [])),
    ['fromBroken by broken'],
  );
  rig.write({ 'datasets.config.ts': two(false) });
  const mended = await rig.build();
  assert.ok(mended.summary.ok);
  assert.equal(targetsRun(mended), ['broken', 'fromBroken']);
  assert.equal(Object.keys(rig.tree('out')), ['a/x/a.jsonl', 'b/x/b.jsonl']);
});

test('without it a failed build publishes nothing of what failed, and what was finished stays', async () => {
  const rig = project(two(true));
  assert.not.ok((await rig.build()).summary.ok);
  assert.not.ok(existsSync(rig.path('out/a')));
  rig.write({ 'datasets.config.ts': two(false) });
  const mended = await rig.build();
  assert.ok(mended.summary.ok);
  assert.not.ok(mended.ran.some((step) => step.startsWith('a:')));
});

const withRule = (
  rule: string,
  out = '',
): string => `import { defineConfig, defineRule, defineStep, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'x/a': 'in/a.jsonl' } });
${rule}
export default defineConfig({ targets: { raw, own: own(raw)${out} } });
`;

test('a plan that waits for what no step makes ends the build, by name', async () => {
  const waits = `const own = defineRule({ name: 'waits', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [], plan: () => new Promise(() => {}) });`;
  const built = await project(withRule(waits)).build();
  assert.equal([built.summary.ok, built.errors], [false, ['stuck']]);
  assert.match(messages(built).join(), /still wait: own/);
});

/** As long as a build watches before it calls a plan stuck, and half as long again. */
async function longerThanStuck(): Promise<void> {
  for (let rounds = 0; rounds < 2; rounds++) {
    const idle = new Stage().scheduler;
    await new Promise<void>((resolve) => {
      const unwatch = idle.watchForStuckPlans(() => {
        unwatch();
        resolve();
      });
    });
  }
}

test('a build that waits for another one to end its publishing is not stuck', async () => {
  const rig = project(policed(0.5));
  const { release } = await new Claims(rig.path('.dsbuild')).take(`out ${rig.path('out')}`, new AbortController().signal);
  const building = rig.build();
  await longerThanStuck();
  assert.not.ok(existsSync(rig.path('out')));
  release();
  const built = await building;
  assert.equal([built.summary.ok, built.errors, Object.keys(rig.tree('out'))], [true, [], ['x/a.jsonl', 'x/b.jsonl']]);
});

test('a rule that loses a document fails, names the law, and nothing of it is kept', async () => {
  const loses = `const lose = defineStep('lose', { version: 1 }, ({ chunk }, _, io) => {
  const records = io.records();
  let first = true;
  for (const { line } of io.documents(chunk)) {
    if (!first) records.write(line);
    first = false;
  }
  records.close();
});
const own = defineRule({
  name: 'loses', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [lose],
  async plan({ documents }, _, build) { for await (const chunk of documents) build.emit(build.step(lose, { chunk }, {})); },
});`;
  const rig = project(withRule(loses, ", files: exportDataset(own(raw), { format: 'jsonl', out: 'out' })"));
  for (let i = 0; i < 2; i++) {
    const built = await rig.build();
    assert.not.ok(built.summary.ok);
    assert.match(messages(built).join(), /does not balance: documents in = out \+ dropped \+ quarantined, but 20 is not 19/);
    assert.not.ok(existsSync(rig.path('out')));
  }
});

test('a plan that passes a part on twice is found although every step balances', async () => {
  const twice = `const own = defineRule({
  name: 'twice', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [],
  async plan({ documents }, _, build) { for await (const chunk of documents) { build.emit(chunk); build.emit(chunk); } },
});`;
  const built = await project(withRule(twice)).build();
  assert.equal([built.summary.ok, built.errors], [false, ['ledger']]);
});

test('a rule is refused that another of its module hides under the same name, and one with the name of a rule of dsbuild', async () => {
  const passes = (name: string): string => `defineRule({
  name: '${name}', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [],
  async plan({ documents }, _, build) { for await (const chunk of documents) build.emit(chunk); },
})`;
  const two = `const own = ${passes('passes')};\nconst other = ${passes('passes')};\n`;
  const built = await project(withRule(two)).build();
  assert.equal([built.summary.ok, built.errors], [false, ['bad-config']]);
  assert.match(messages(built).join(), /there is another rule with the name "passes"/);
  const shadowing = project(withRule(`const own = ${passes('download')};`));
  const refused = await shadowing.build().catch((error: BuildError) => error);
  assert.match(
    'code' in refused ? `${refused.where}: ${refused.message}` : 'it was built',
    /^datasets\.config\.ts:3:13: .*dsbuild has a rule of that name$/,
  );
  const hiding = `const hidden = ${passes('passes')};\nconst own = ${passes('passes')};\n`;
  assert.ok((await project(withRule(hiding)).build()).summary.ok);
});

test('a folder that this process opens once more, and closes, while it is open for a build is built as ever', async () => {
  const rig = project(`import { defineConfig, defineFilter, defineRule, download, exportDataset, filter, keep } from 'dsbuild';
const short = defineFilter({ name: 'short', decide: () => keep });
const own = defineRule({
  name: 'own', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [],
  async plan({ documents }, _, build) { for await (const chunk of documents) build.emit(chunk); },
});
const raw = download({ sources: { 'x/a': 'in/a.jsonl' } });
export default defineConfig({ targets: { out: exportDataset(own(filter(raw, { use: short() })), { format: 'jsonl', out: 'out' }) } });
`);
  await rig.withProject(async (open) => {
    await rig.withProject(async () => {});
    const summary = await build(open, { targets: [] }, () => inlineRunner());
    assert.ok(summary.ok);
  });
});

const policed = (share: number): string => `import { defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'x/*': 'in/*.jsonl' }, badRecordShareMax: ${share} });
export default defineConfig({ targets: { raw, files: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });
`;

test('a policy is judged on what is known already, without running a step', async () => {
  const rig = project(policed(0.5), { 'in/a.jsonl': `${lines(8, 'good')}{}\n` });
  assert.ok((await rig.build()).summary.ok);
  rig.write({ 'datasets.config.ts': policed(0.01) });
  const strict = await rig.build();
  assert.equal([strict.summary.ok, strict.ran, strict.errors], [false, [], ['too-many-bad-records']]);
  assert.match(messages(strict).join(), /1 of 29 records/);
  rig.write({ 'datasets.config.ts': policed(0.5) });
  const back = await rig.build();
  assert.equal([back.summary.ok, back.ran], [true, []]);
});

const parted = `import { defineConfig, download, exportDataset, filter, index, param, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'x/*': 'in/*.jsonl' } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer', addBos: param('addBos', false) });
const shards = shard(tokens, { maxSeqLength: param('length', 16), out: 'train' });
export default defineConfig({ targets: { raw, tokens, shards, train: index(shards), files: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });
`.replace('filter, ', '');

test('why compares with what stood last, also when that was gone back to and nothing ran', async () => {
  const rig = project(parted);
  const why = async (given: BuildGiven): Promise<readonly string[] | undefined> => (await rig.build(given)).summary.targets['shards']?.why;
  assert.equal(await why({ params: { length: '16' } }), ['never built']);
  assert.equal(await why({ params: { length: '24' } }), ['option maxSeqLength: 16 -> 24']);
  assert.equal(await why({ params: { length: '16' } }), []);
  assert.equal(await why({ params: { length: '32' } }), ['option maxSeqLength: 16 -> 32']);
});

test('--force runs the steps of what was named, not of what it needs', async () => {
  const rig = project(parted);
  await rig.build();
  const forced = await rig.build({ targets: ['tokens'], force: true });
  assert.equal([forced.summary.ok, targetsRun(forced)], [true, ['tokens']]);
  assert.equal((await rig.build()).ran, []);
});

test('a target that is named is built with what it needs and nothing else, also if none of them has a folder', async () => {
  const rig = project(two(false));
  const built = await rig.build({ targets: ['broken'] });
  assert.equal([built.summary.ok, targetsRun(built)], [true, ['a', 'broken']]);
});

test('--only builds and publishes some groups, leaves alone what gathers, and what others have published', async () => {
  const rig = project(parted);
  const only = await rig.build({ only: 'x/a' });
  assert.ok(only.summary.ok);
  assert.equal(Object.keys(rig.tree('out')), ['x/a.jsonl']);
  assert.not.ok(Object.keys(rig.tree('train')).includes('manifest.json'));
  const whole = await rig.build();
  assert.equal(Object.keys(rig.tree('out')), ['x/a.jsonl', 'x/b.jsonl']);
  assert.ok(whole.ran.every((step) => !step.startsWith('raw:') || whole.ran.filter((one) => one === step).length === 1));
  const before = rig.tree('train');
  assert.ok((await rig.build({ only: 'x/b' })).summary.ok);
  assert.equal(rig.tree('train'), before);
  const again = await rig.build();
  assert.equal([again.ran, rig.tree('train')], [[], before]);
});

test('a dry run says what would run, runs nothing and publishes nothing', async () => {
  const rig = project(parted);
  const dry = await rig.build({ dryRun: true });
  assert.equal([dry.summary.ok, dry.ran, existsSync(rig.path('out')), existsSync(rig.path('train'))], [true, [], false, false]);
  await rig.build();
  rig.write({ 'in/a.jsonl': lines(21, 'apple') });
  const tree = rig.tree('train');
  assert.equal((await rig.build({ dryRun: true })).ran, []);
  assert.equal(rig.tree('train'), tree);
  assert.ok((await rig.build()).ran.length > 0);
});

test('bytes that were thrown away and come out otherwise are told, not used', async () => {
  const clock = `import { command, defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'x/a': 'in/a.jsonl' } });
const own = command(raw, { run: ['sh', '-c', 'cat > /dev/null; date +"{\\\\"text\\\\":\\\\"%s%N\\\\"}"'], version: '1' });
export default defineConfig({ targets: { raw, own, files: exportDataset(own, { format: 'jsonl', out: 'out' }) } });
`;
  const rig = project(clock);
  const first = await rig.build();
  assert.ok(first.summary.ok, messages(first).join());
  rig.remove('out');
  rig.remove('.dsbuild/store');
  const again = await rig.build();
  assert.not.ok(again.summary.ok);
  assert.equal(again.errors, ['not-deterministic']);
  assert.not.ok(existsSync(rig.path('out/x/a.jsonl')));
});

test.run();
