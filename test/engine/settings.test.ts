import { cpSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkout, Rig } from './rig.ts';

const test = suite('settings');

const config = (
  chunking: string,
  shardOptions: string,
): string => `import { defineConfig, download, exportDataset, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'text/a': 'a.jsonl' } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer' });
const shards = shard(tokens, { maxSeqLength: 16, ${shardOptions} out: 'train' });
export default defineConfig({
  targets: { raw, tokens, shards, train: index(shards), exported: exportDataset(raw, { format: 'jsonl', out: 'exported' }) },
  chunking: { chunkSize: '2KB', ${chunking} },
});
`;

function project(): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('tokenizer'), { recursive: true });
  const lines = Array.from({ length: 200 }, (_, i) => JSON.stringify({ text: `line ${i} of many more words` }));
  rig.write({ 'datasets.config.ts': config('', ''), 'a.jsonl': `${lines.join('\n')}\n` });
  return rig;
}

const packs = (ran: readonly string[]): number => ran.filter((step) => step === 'shards:pack').length;

test('packTokens of the config is the default of shard, and in no key but that of what it shapes', async () => {
  const rig = project();
  const first = await rig.build();
  assert.is(packs(first.ran), 1);
  rig.write({ 'datasets.config.ts': config('packTokens: 600', '') });
  const finer = await rig.build();
  assert.ok(packs(finer.ran) > 1);
  assert.ok(finer.ran.every((step) => /^(shards|train):/.test(step)));
  assert.equal(finer.summary.targets['shards']?.why, ['option packTokens: nothing -> 600']);
  for (const other of ['raw', 'tokens', 'exported']) assert.equal(finer.summary.targets[other]?.why, []);
});

test('recordSecondsMax is in no key: it says when to give up, not what comes out', async () => {
  const rig = project();
  await rig.build();
  rig.write({ 'datasets.config.ts': config('', '').replace('chunking', 'recordSecondsMax: 5, chunking') });
  const again = await rig.build();
  assert.equal(again.ran, []);
  assert.ok(Object.values(again.summary.targets).every(({ why }) => why.length === 0));
});

test('what shard itself says goes before what the config says', async () => {
  const rig = project();
  rig.write({ 'datasets.config.ts': config('', 'packTokens: 600,') });
  await rig.build();
  const published = rig.tree('train');
  rig.write({ 'datasets.config.ts': config('packTokens: 100000', 'packTokens: 600,') });
  assert.equal((await rig.build()).ran, []);
  assert.equal(rig.tree('train'), published);
});

test.run();
