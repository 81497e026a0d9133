import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matcher, onlyGroups } from '../../src/graph/pattern.ts';
import { printGraph } from '../../src/graph/print.ts';
import { select } from '../../src/graph/select.ts';
import { filter, graphOf, index, project, read, refusalOf, shard, tokenize } from './toy.ts';

const test = suite('graph/select');

const raw = read({ out: 'data', tags: ['source'] });
const clean = filter(raw);
const tokens = tokenize(clean, { tokenizer: 't' });
const shards = shard(tokens, { out: 'out', tags: ['train', 'big'] });
const gpt2 = { parquet: shard(tokenize(clean, { tokenizer: 'gpt2' }), { tags: ['train'] }), short: shard(tokens, { length: 4 }) };
const graph = graphOf({ raw, clean, rejected: clean.rejected, tokens, shards, train: index(shards), gpt2 });
const selected = (names: readonly string[], tags: readonly string[] = []): string[] =>
  select(graph, { names, tags }).map(({ name }) => name);

test('no name means all targets', () => {
  assert.equal(
    selected([]),
    graph.targets.map(({ name }) => name),
  );
});

test('a name brings all that it needs, in order, and the files of every folder that is rebuilt with it', () => {
  assert.equal(selected(['shards']), ['raw', 'raw/files', 'clean', 'tokens', 'shards']);
  assert.equal(selected(['raw']), ['raw', 'raw/files']);
  assert.equal(selected(['raw/files']), ['raw', 'raw/files']);
});

test('other names, outputs and inner targets can be asked for', () => {
  assert.equal(selected(['rejected']), ['raw', 'raw/files', 'clean']);
  assert.equal(selected(['clean.rejected']), selected(['clean']));
  assert.equal(selected(['gpt2/parquet/tokenize']), ['raw', 'raw/files', 'clean', 'gpt2/parquet/tokenize']);
});

test('a pattern or a folder of targets means all below it', () => {
  const all = ['raw', 'raw/files', 'clean', 'tokens', 'gpt2/parquet/tokenize', 'gpt2/parquet', 'gpt2/short'];
  assert.equal(selected(['gpt2/*']), all);
  assert.equal(selected(['gpt2']), all);
  assert.equal(selected(['*/short']), ['raw', 'raw/files', 'clean', 'tokens', 'gpt2/short']);
});

test('tags select among all targets, or among those that are named', () => {
  assert.equal(selected([], ['source']), ['raw', 'raw/files']);
  assert.equal(selected(['gpt2', 'shards'], ['big']), selected(['shards']));
  assert.equal(
    refusalOf(() => selected(['clean'], ['big'])),
    {
      code: 'unknown-target',
      where: undefined,
      message: 'none of clean has the tag big',
      hint: 'Leave the names or --tag away.',
    },
  );
});

test('an unknown target is answered with the nearest name and the list', () => {
  const { code, message, hint } = refusalOf(() => selected(['shrads']));
  assert.is(code, 'unknown-target');
  assert.is(message, 'there is no target "shrads". Did you mean "shards"?');
  assert.is(hint, 'Targets: raw, clean, rejected, tokens, shards, train, gpt2/parquet, gpt2/short, clean.rejected.');
  assert.is(refusalOf(() => selected(['llama/*'])).message, 'no target matches "llama/*".');
});

test('an unknown tag is answered with the nearest tag and the list', () => {
  const { code, message, hint } = refusalOf(() => selected([], ['trian']));
  assert.equal([code, message, hint], ['unknown-tag', 'no target has the tag "trian". Did you mean "train"?', 'Tags: big, source, train.']);
});

test('groups are matched by category, by name, or both', () => {
  const groups = ['code/apps', 'code/the.stack', 'codex/apps', 'math/gsm8k'];
  const matching = (pattern: string): string[] => groups.filter(onlyGroups(pattern));
  assert.equal(matching('code/*'), ['code/apps', 'code/the.stack']);
  assert.equal(matching('code'), ['code/apps', 'code/the.stack']);
  assert.equal(matching('*/apps'), ['code/apps', 'codex/apps']);
  assert.equal(matching('code/the?stack'), ['code/the.stack']);
  assert.equal(matching('code/the+stack'), []);
  assert.equal(matching('**'), groups);
});

test('a star stays within a segment, two stars do not', () => {
  assert.not.ok(matcher('*c')('a/b/c'));
  assert.ok(matcher('**c')('a/b/c'));
  assert.ok(matcher('a/*')('a/b/c'));
  assert.not.ok(matcher('a')('ab'));
  assert.not.ok(matcher('a.c')('abc'));
});

test('the graph is printed as a tree; what several need is opened once', () => {
  assert.equal(printGraph(graph, project), [
    'train (index) -> out',
    '└─ shards (shard) -> out',
    '   └─ tokens (tokenize)',
    '      └─ clean (filter)',
    '         └─ raw (read) -> data',
    'gpt2/parquet (shard)',
    '└─ gpt2/parquet/tokenize (tokenize)',
    '   └─ clean (filter) (above)',
    'gpt2/short (shard)',
    '└─ tokens (tokenize) (above)',
  ]);
});

test.run();
