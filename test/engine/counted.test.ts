import { cpSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkout, Rig } from './rig.ts';

const test = suite('counted documents');

const config = (options: string): string => `import { countTokens, defineConfig, download, exportDataset, tokenize } from 'dsbuild';
const documents = download({ sources: { 'x/a': 'in/a.jsonl' } });
const tokens = tokenize(documents, { tokenizer: 'tokenizer', ${options} });
export default defineConfig({
  targets: { documents, tokens, counted: exportDataset(countTokens({ documents, tokens }), { format: 'jsonl', out: 'out' }) },
  chunking: { chunkSize: '4KB' },
});
`;

const lines = (edited = -1): string =>
  Array.from(
    { length: 400 },
    (_, i) => `${JSON.stringify({ id: `d${i}`, text: `Document ${i}${i === edited ? ' edited' : ''} of many words` })}\n`,
  ).join('');

function project(options: string): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  rig.write({ 'datasets.config.ts': config(options), 'in/a.jsonl': lines() });
  return rig;
}

const countsIn = (rig: Rig): number[] =>
  rig
    .read('out/x/a.jsonl')
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).metadata.token_count);

test('after an edit of one line one chunk is tokenized and counted again', async () => {
  const rig = project('window: { length: 6, stride: 2 }');
  assert.ok((await rig.build()).summary.ok);
  const before = countsIn(rig);
  assert.is(before.length, 400);
  rig.write({ 'in/a.jsonl': lines(200) });
  const built = await rig.build();
  assert.ok(built.summary.ok);
  const steps = built.ran.map((step) => step.slice(step.indexOf(':') + 1));
  assert.equal(
    ['encode', 'count'].map((name) => steps.filter((step) => step === name).length),
    [1, 1],
  );
  const after = countsIn(rig);
  assert.equal(
    after.flatMap((count, i) => (count === before[i] ? [] : [i])),
    [200],
  );
});

test('windows change what is tokenized, and no count', async () => {
  const rig = project('');
  await rig.build();
  const whole = countsIn(rig);
  rig.write({ 'datasets.config.ts': config('window: { length: 5, stride: 1 }') });
  const built = await rig.build();
  assert.ok(built.summary.ok && built.ran.some((step) => step.endsWith(':count')));
  assert.equal(countsIn(rig), whole);
});

test('the figures of documents that are counted are those of the documents, not of documents and tokens', async () => {
  const { summary } = await project('').build();
  const counted = summary.targets['counted/count-tokens'];
  assert.equal([counted?.documentsIn, counted?.documentsOut], [400, 400]);
});

test.run();
