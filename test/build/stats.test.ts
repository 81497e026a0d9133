import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TargetStats } from '../../src/engine/stats.ts';
import { TestProject, tinyTokenizer } from './project.ts';

const test = suite('stats');

const config = (windowLength: number): string => `import { defineConfig, download, filter, index, shard, tokenize } from 'dsbuild';
import { long } from './long.ts';
const raw = download({ sources: { 'a/one': 'in/one.jsonl', 'a/two': 'in/two.jsonl' }, badRecordShareMax: 1 });
const clean = filter(raw, { use: long({ charsMin: 10 }) });
const tokens = tokenize(clean, { tokenizer: ${JSON.stringify(tinyTokenizer)}, window: { length: ${windowLength}, stride: 2 }, dropTokens: { charactersMin: 2 } });
export default defineConfig({ targets: { raw, clean, tokens, shards: shard(tokens, { maxSeqLength: 16, out: 'out' }) } });
`;
const long = `import { defineFilter, drop, integer, keep } from 'dsbuild';
export const long = defineFilter({ name: 'long', options: { charsMin: integer() }, decide: ({ text }, { charsMin }) => text.length < charsMin ? drop('short') : keep });
`;
const lines = (texts: readonly string[]): string =>
  texts.map((text, i) => `${JSON.stringify({ id: `${text.length}-${i}`, text })}\n`).join('');

async function withBuilt(use: (project: TestProject) => Promise<void>): Promise<void> {
  const project = new TestProject();
  try {
    project.write('datasets.config.ts', config(6));
    project.write('long.ts', long);
    project.write('in/one.jsonl', lines(['the quick brown fox jumps over the lazy dog', 'short', 'a sentence of some length, again']));
    project.write('in/two.jsonl', `${lines(['and a second source with one good line'])}{"id": 3}\n`);
    assert.is((await project.build()).code, 0);
    await use(project);
  } finally {
    project.end();
  }
}

async function statsOf(project: TestProject, ...targets: string[]): Promise<TargetStats[]> {
  const run = project.startText('stats', '--json', ...targets);
  assert.is(await run.done, 0);
  return run.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as TargetStats);
}

const amounts = (stats: TargetStats, law: RegExp): Record<string, number> => {
  const balance = stats.ledger.find((one) => law.test(one.law));
  return Object.fromEntries([...(balance?.left ?? []), ...(balance?.right ?? [])].map(({ name, amount }) => [name, amount]));
};

test('every law that applies is shown with both sides, which are equal, in documents, tokens and rows', () =>
  withBuilt(async (project) => {
    const all = await statsOf(project);
    const of = (name: string): TargetStats => all.find(({ target }) => target === name) as TargetStats;
    for (const { ledger } of all) {
      for (const { left, right, total } of ledger) {
        for (const side of [left, right])
          assert.is(
            side.reduce((sum, { amount }) => sum + amount, 0),
            total,
          );
      }
    }
    assert.equal(amounts(of('clean'), /^documents in/), { 'documents in': 4, 'documents out': 3, 'dropped: short': 1 });
    const tokens = amounts(of('tokens'), /^tokens of the texts/);
    assert.ok((tokens['added: overlap'] ?? 0) > 0 && (tokens['dropped: short'] ?? 0) > 0, JSON.stringify(tokens));
    assert.is(amounts(of('shards'), /^tokens in/)['tokens in'], tokens['tokens out']);
    assert.ok((amounts(of('shards'), /^rows/)['padding'] ?? -1) >= 0);
    assert.is(amounts(of('shards'), /^rows/)['packed'], amounts(of('shards'), /^tokens in/)['packed']);
  }));

test('what a target holds is counted group by group', () =>
  withBuilt(async (project) => {
    const [raw] = await statsOf(project, 'raw');
    const groups = raw?.outputs[0]?.groups.map(({ group, documents }) => [group, documents]);
    assert.equal(groups, [
      ['a/one', 3],
      ['a/two', 1],
    ]);
  }));

test('a target that is older than the config says so, and is shown as it was built', () =>
  withBuilt(async (project) => {
    project.write('datasets.config.ts', config(7));
    const [stats] = await statsOf(project, 'tokens');
    assert.match(stats?.notes[0] ?? '', /another window/);
    assert.ok((stats?.ledger.length ?? 0) > 0);
  }));

test('for people it is a table and the two sides of each law; an unknown target is asked back', () =>
  withBuilt(async (project) => {
    const shown = project.startText('stats', 'clean');
    assert.is(await shown.done, 0);
    assert.match(shown.text, /documents in 4 = 4\n {2}documents out 3 \+ dropped: short 1 = 4/);
    const unknown = project.start('stats', '--json', 'cleen');
    assert.is((await unknown.done).code, 2);
  }));

test.run();
