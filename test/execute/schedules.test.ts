/** A plan must give one collection whatever the order in which its steps end: each of dsbuild's own is replayed under 50 random orders. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { command } from '../../rules/command.ts';
import { download } from '../../rules/download.ts';
import { exportDataset } from '../../rules/export.ts';
import { filter } from '../../rules/filter.ts';
import { index } from '../../rules/index.ts';
import { shard } from '../../rules/shard.ts';
import { tokenize } from '../../rules/tokenize.ts';
import { write } from '../../rules/write.ts';
import type { Part } from '../../src/rule/part.ts';
import { defineRule, type Rule } from '../../src/rule/rule.ts';
import { defineStep } from '../../src/rule/step.ts';
import { defineFilter, drop, keep } from '../../src/rule/user-function.ts';
import { checkout } from '../engine/rig.ts';
import {
  chunkItems,
  chunksOf,
  filePart,
  type GivenInputs,
  identitiesOf,
  type PlanSettings,
  planRule,
  sourcesOf,
} from '../rules/harness.ts';

const test = suite('schedules');

const schedules = 50;
const odd = defineFilter({ name: 'odd', options: {}, decide: ({ text }) => (text.length % 2 === 0 ? drop('even') : keep) });
const lines = (count: number, word: string): string =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ text: `${word} ${'and more '.repeat(i % 5)}${i}`, n: i })}\n`).join('');
const tokenizerFile = (name: string): Part => filePart(readFileSync(checkout(`fixtures/tokenizers/tiny/${name}`)));
const address = 'https://example.org/remote.jsonl';
const settings: PlanSettings = { chunkBytes: 512, remotes: { [address]: { bytes: Buffer.from(lines(9, 'far')) } } };

const items = sourcesOf([
  ...chunkItems(chunksOf(lines(60, 'apps'), { group: 'code/apps', chunkBytes: 512 })),
  { item: 'remote', address, group: 'web/far', format: 'jsonl' },
  ...chunkItems(chunksOf(`${lines(30, 'talk')}not JSON\n\n`, { group: 'chat/talk', chunkBytes: 512 })),
]);

const outputOf = async (rule: { readonly rule: Rule }, inputs: GivenInputs, options: object, output = 'main'): Promise<readonly Part[]> =>
  (await planRule(rule, inputs, { ...options, settings })).outputs[output] ?? [];

const sharding = { maxSeqLength: 16, packTokens: 120, shardSize: '8KB' };
const documents = await outputOf(download, {}, { sources: items });
const clean = await outputOf(filter, { documents }, { use: odd() }, 'kept');
const tokenizer = { model: tokenizerFile('tokenizer.json'), config: tokenizerFile('tokenizer_config.json') };
const tokens = await outputOf(tokenize, { documents: clean }, { tokenizer });
const shards = await outputOf(shard, { tokens }, sharding);

interface Plan {
  readonly rule: { readonly rule: Rule };
  readonly inputs: GivenInputs;
  readonly options: object;
  /** Fewer steps than this leave nothing to reorder. */
  readonly stepsMin: number;
}

const plans: Readonly<Record<string, Plan>> = {
  download: { rule: download, inputs: {}, options: { sources: items }, stepsMin: 8 },
  write: { rule: write, inputs: { documents }, options: {}, stepsMin: 8 },
  filter: { rule: filter, inputs: { documents }, options: { use: odd() }, stepsMin: 8 },
  tokenize: { rule: tokenize, inputs: { documents: clean }, options: { tokenizer }, stepsMin: 8 },
  shard: { rule: shard, inputs: { tokens }, options: sharding, stepsMin: 8 },
  'shard with names by digest': { rule: shard, inputs: { tokens }, options: { ...sharding, names: 'digest' }, stepsMin: 8 },
  index: {
    rule: index,
    inputs: { shards },
    options: { tokenizer: 'tiny', maxSeqLength: 16, shardSizeBytes: 8000, inputPath: 'in', outputPath: 'out' },
    stepsMin: 1,
  },
  'export of lines': { rule: exportDataset, inputs: { documents: clean }, options: { format: 'jsonl' }, stepsMin: 8 },
  'export of one Parquet file': {
    rule: exportDataset,
    inputs: { documents: clean },
    options: { format: 'parquet', each: 'collection' },
    stepsMin: 8,
  },
  command: { rule: command, inputs: { documents: documents.slice(0, 4) }, options: { run: ['cat'], version: '1', tools: {} }, stepsMin: 4 },
  'command for each group': {
    rule: command,
    inputs: { documents },
    options: { run: ['cat'], version: '1', tools: {}, per: 'target' },
    stepsMin: 3,
  },
};

for (const [name, { rule, inputs, options, stepsMin }] of Object.entries(plans)) {
  test(`${name}: one collection under ${schedules} random orders`, async () => {
    const { steps } = await planRule(rule, inputs, { ...options, settings });
    assert.ok(steps.length >= stepsMin, `${steps.length} steps`);
    const found = await identitiesOf(rule, inputs, { ...options, settings, schedules });
    assert.is(found.length, schedules + 2);
    assert.is(new Set(found).size, 1);
  });
}

const copy = defineStep('copy', { version: 1 }, ({ chunk }: { chunk: Part }, _: Record<string, never>, io) => {
  const { records = 0, u = 0 } = chunk.facts;
  io.select(chunk, { all: true, facts: { records, u } });
});

test('a plan that emits when a step has ended, instead of when it asks for it, is caught', async () => {
  const wrong = defineRule({
    name: 'test-emits-on-completion',
    version: 1,
    inputs: { documents: 'documents' },
    output: 'documents',
    options: {},
    steps: [copy],
    async plan(inputs, _options, build) {
      const parts = await inputs.documents.all();
      await Promise.all(
        parts.map(async (chunk) => {
          const { parts: made } = await build.step(copy, { chunk }, {});
          for (const part of made['main'] ?? []) build.emit(part);
        }),
      );
    },
  });
  const found = await identitiesOf(wrong, { documents: clean }, { schedules });
  assert.is(found[0], found[1], 'in order it looks right');
  assert.ok(new Set(found).size > 40);
});

test.run();
