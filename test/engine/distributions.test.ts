import { closeSync, cpSync, openSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readLastPlan } from '../../src/engine/last-plan.ts';
import type { Project } from '../../src/engine/project.ts';
import { distributions } from '../../src/engine/statistics/distributions.ts';
import type { Distributions } from '../../src/engine/statistics/shape.ts';
import { partsOf } from '../../src/engine/verify/last-results.ts';
import { checkout, inlineRunner, Rig } from './rig.ts';

const test = suite('distributions');

const config = `import { defineConfig, download, exportDataset } from 'dsbuild';
const raw = download({ sources: { 'a/one': 'in/one.jsonl' } });
export default defineConfig({ targets: { raw, files: exportDataset(raw, { format: 'jsonl', out: 'out' }) } });
`;

async function built(lines = 'one\ntwo\nthree\n'): Promise<Rig> {
  const rig = new Rig();
  const documents = lines.split('\n').filter((text) => text !== '');
  rig.write({ 'datasets.config.ts': config, 'in/one.jsonl': documents.map((text) => `${JSON.stringify({ text })}\n`).join('') });
  assert.is((await rig.build()).summary.ok, true);
  return rig;
}

const counted = (project: Project, name: string): ReturnType<typeof distributions> =>
  distributions(project, name, { tell: () => undefined, makeRunner: () => inlineRunner() });

/** Where the merged counts of a target lie. */
function locationOf(project: Project, target: string): { path: string; offset: number; length: number } {
  const key = readLastPlan(project.stateDir, `${target}/statistics`)?.key ?? '';
  const [part] = partsOf(project, project.results.target(key)?.outputs['main']?.digest ?? '') ?? [];
  const [segment] = project.store.locate(part?.digest ?? '') ?? [];
  assert.ok(segment, 'counts were kept');
  return segment;
}

const tokens = `import { defineConfig, download, tokenize } from 'dsbuild';
const raw = download({ sources: { 'a/one': 'in/one.jsonl', 'a/two': 'in/two.jsonl' } });
export default defineConfig({ chunking: { chunkSize: '4KB' }, targets: { raw, tokens: tokenize(raw, { tokenizer: 'tokenizer' }) } });
`;
const linesOf = (texts: readonly string[]): string => texts.map((text) => `${JSON.stringify({ text })}\n`).join('');

async function tokenized(texts: readonly string[]): Promise<Rig> {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': tokens, 'in/one.jsonl': linesOf(texts.slice(0, 200)), 'in/two.jsonl': linesOf(texts.slice(200)) });
  assert.ok((await rig.build()).summary.ok);
  return rig;
}

const tokensOf = (rig: Rig): Promise<Distributions> => rig.withProject((project) => counted(project, 'tokens')) as Promise<Distributions>;
const withoutSteps = ({ steps: _, ...rest }: Distributions): unknown => rest;
const texts = Array.from({ length: 300 }, (_, i) => `${'the fox jumps again '.repeat(1 + (i % 7))}${i}`);

test('what was counted is not counted again, not even looked for in the sources', async () => {
  const rig = await tokenized(texts);
  const first = await tokensOf(rig);
  assert.ok(first.steps.ran > 5, `${first.steps.ran} steps`);
  rig.remove('in');
  const again = await tokensOf(rig);
  assert.equal(again.steps, { ran: 0, known: 0 });
  assert.equal(withoutSteps(again), withoutSteps(first));
});

test('after an edited line one chunk is counted, the rest is known, and all is as in a clean build of the edited source', async () => {
  const rig = await tokenized(texts);
  const { ran } = (await tokensOf(rig)).steps;
  const edited = texts.map((text, i) => (i === 251 ? `${text} and one more fox` : text));
  rig.write({ 'in/two.jsonl': linesOf(edited.slice(200)) });
  const stale = await rig.withProject((project) => counted(project, 'raw'));
  assert.equal(stale, { missing: 'raw is not built as the config stands: lengths are counted after dsbuild build raw' });
  assert.ok((await rig.build()).summary.ok);
  const after = await tokensOf(rig);
  assert.equal(after.steps, { ran: 2, known: ran - 2 });
  assert.equal(withoutSteps(after), withoutSteps(await tokensOf(await tokenized(edited))));
});

test('damaged counts are made again', async () => {
  const rig = await built();
  const first = (await rig.withProject((project) => counted(project, 'raw'))) as Distributions;
  const { path, offset } = await rig.withProject(async (project) => locationOf(project, 'raw'));
  const file = openSync(path, 'r+');
  writeSync(file, '!', offset);
  closeSync(file);
  const again = (await rig.withProject((project) => counted(project, 'raw'))) as Distributions;
  assert.ok(again.steps.ran > 0);
  assert.equal(again.lengths, first.lengths);
  const known = (await rig.withProject((project) => counted(project, 'raw'))) as Distributions;
  assert.equal(known.steps, { ran: 0, known: 0 });
});

test('counting builds and publishes nothing else, not even what shares a folder', async () => {
  const rig = await built();
  const before = rig.tree('out');
  rig.remove('out');
  await rig.withProject((project) => counted(project, 'raw'));
  assert.equal(rig.tree('out'), {});
  assert.ok(Object.keys(before).length > 0);
});

test('a target of files has no lengths, and one that was never built none yet', async () => {
  const rig = await built();
  assert.is(await rig.withProject((project) => counted(project, 'files')), undefined);
  const unbuilt = new Rig();
  unbuilt.write({ 'datasets.config.ts': config, 'in/one.jsonl': '{"text":"a"}\n' });
  assert.is(await unbuilt.withProject((project) => counted(project, 'raw')), undefined);
});

test('bars of lengths are octaves without gaps; those in which nothing lies are there as well', async () => {
  const rig = await built(`${'a'.repeat(2)}\n${'a'.repeat(3)}\n${'a'.repeat(40)}\n`);
  const { lengths } = (await rig.withProject((project) => counted(project, 'raw'))) as Distributions;
  assert.equal(
    lengths[0]?.bars.map(({ from, to, count }) => [from, to, count]),
    [
      [2, 3, 2],
      [4, 7, 0],
      [8, 15, 0],
      [16, 31, 0],
      [32, 63, 1],
    ],
  );
});

// Last: from here on the process knows the user's rule by that name.
test('a rule of the user that is called statistics goes on to work, and says why nothing is counted', async () => {
  const rig = await built();
  const own = `import { defineRule } from 'dsbuild';
export const statistics = defineRule({ name: 'statistics', version: 1, inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [],
  async plan({ documents }, _options, build) { for await (const chunk of documents) build.emit(chunk); } });
`;
  rig.write({
    'own.ts': own,
    'datasets.config.ts': `import { statistics } from './own.ts';\n${config.replace('{ raw,', '{ raw, own: statistics(raw),')}`,
  });
  assert.is((await rig.build()).summary.ok, true);
  const found = await rig.withProject((project) => counted(project, 'raw'));
  assert.equal(found, { missing: 'lengths are not counted: the config defines a rule of its own called "statistics"' });
  assert.equal((await rig.build()).ran, []);
});

test.run();
