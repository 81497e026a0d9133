import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Targets } from '../../src/config/define.ts';
import { secret } from '../../src/config/secret.ts';
import { buildGraph } from '../../src/graph/build-graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { integer } from '../../src/rule/options.ts';
import type { AnyTarget } from '../../src/rule/target.ts';
import { defineFilter, keep } from '../../src/rule/user-function.ts';
import { createProject, failureOf, type Project, removeProjects } from '../config/project.ts';
import { filter, graphOf, index, inherited, minus, project, read, refusalOf, shard, tokenize, union, write } from './toy.ts';

const test = suite('graph/build-graph');
test.after(removeProjects);

const names = ({ targets }: Graph): string[] => targets.map(({ name }) => name);

test('targets come after what they need, otherwise in the order of the config', () => {
  const raw = read();
  const clean = filter(raw);
  const tokens = tokenize(clean, { tokenizer: 't' });
  const shards = shard(tokens);
  assert.equal(names(graphOf({ train: index(shards), shards, raw, clean, tokens })), ['raw', 'clean', 'tokens', 'shards', 'train']);
});

test('a config without a target is refused: there would be nothing to build, and nothing to say', () => {
  for (const targets of [{}, { group: {}, other: { deeper: {} } }]) {
    const error = refusalOf(() => graphOf(targets as Targets));
    assert.is(error.code, 'no-targets');
    assert.match(error.message, 'the config has no targets');
    assert.match(error.hint ?? '', 'targets: {');
  }
});

test('nested targets are named by their path, and unnamed ones after the first named target that they feed', () => {
  const raw = read();
  const gpt2 = { parquet: shard(tokenize(filter(raw), { tokenizer: 'gpt2' })), index: index(shard(tokenize(raw, { tokenizer: 'other' }))) };
  const graph = graphOf({ gpt2, all: union([read(), read({ from: 'y' }), raw]) });
  assert.equal(names(graph), [
    'gpt2/parquet/read',
    'gpt2/parquet/filter',
    'gpt2/parquet/tokenize',
    'gpt2/parquet',
    'gpt2/index/tokenize',
    'gpt2/index/shard',
    'gpt2/index',
    'all/read',
    'all/read-2',
    'all',
  ]);
  assert.equal(
    graph.targets.filter(({ named }) => named).map(({ name }) => name),
    ['gpt2/parquet', 'gpt2/index', 'all'],
  );
});

test('a target under two names has the first, and both mean it', () => {
  const raw = read();
  const graph = graphOf({ first: raw, later: { second: raw } });
  assert.equal(names(graph), ['first']);
  assert.is(graph.get('later/second'), graph.get('first'));
});

test('outputs beside the main one have names of their own, also when the config gives them one', () => {
  const clean = filter(read());
  const graph = graphOf({ rejected: clean.rejected, clean });
  assert.equal(names(graph), ['clean/read', 'clean']);
  const { target, output } = graph.outputs.get('rejected') ?? {};
  assert.equal([target?.name, output], ['clean', 'rejected']);
  assert.is(graph.outputs.get('clean.rejected')?.output, 'rejected');
  assert.is(graph.outputs.get('clean')?.output, 'kept');
});

test('inputs know which output of which target they take', () => {
  const clean = filter(read());
  const graph = graphOf({ clean, rest: minus({ documents: clean, against: { a: clean.rejected, b: read() } }) });
  assert.equal(
    graph.get('rest')?.inputs.map(({ input, key, from, output }) => [input, key, from.name, output]),
    [
      ['documents', '', 'clean', 'kept'],
      ['against', 'a', 'clean', 'rejected'],
      ['against', 'b', 'rest/read', 'main'],
    ],
  );
});

test('options are checked, sizes are bytes, defaults are filled in, also those of the user’s own filters', () => {
  const short = defineFilter({ name: 'graph-short', options: { charsMin: integer().default(80) }, decide: () => keep });
  const graph = graphOf({ shards: shard(tokenize(filter(read(), { use: short() }), { tokenizer: 't' }), { shardSize: '5MB' }) });
  assert.equal(graph.get('shards')?.options, { length: 8, shardSize: 5e6, labels: 'shifted' });
  const uses = (graph.get('shards/filter')?.options.use ?? []) as readonly { definition: string; options: unknown }[];
  assert.equal(
    uses.map(({ definition, options }) => [definition, options]),
    [['graph-short', { charsMin: 80 }]],
  );
});

test('what is inherited stands behind what is given, and before a default', () => {
  const shards = shard(tokenize(read({ from: 'y' }), { tokenizer: 't' }), { length: 12, out: 'out' });
  const graph = graphOf({ one: index(shards), other: index(shards, { length: 3, out: 'elsewhere' }) });
  assert.equal(graph.get('one')?.options, { tokenizer: 't', length: 12, output: 'out' });
  assert.equal(graph.get('other')?.options, { tokenizer: 't', length: 3, output: 'elsewhere' });
});

test('a rule inherits from the nearest target first, and sees folders relative to the project', () => {
  const raw = read({ out: 'data' });
  inherited.length = 0;
  graphOf({ i: index(shard(tokenize(filter(raw), { tokenizer: 't' }), { out: './a/../out/x' })) });
  assert.equal(
    inherited.at(-1)?.ancestors.map(({ rule, out }) => [rule, out]),
    [
      ['shard', 'out/x'],
      ['tokenize', undefined],
      ['filter', undefined],
      ['read', 'data'],
    ],
  );
  assert.is(inherited.at(-1)?.out, 'out/x');
});

test('documents with out get a target that writes them; it carries the folder', () => {
  const graph = graphOf({ raw: read({ out: 'data' }), tokens: tokenize(filter(read(), { out: 'clean' }), { tokenizer: 't' }) });
  assert.equal(names(graph), ['raw', 'raw/files', 'tokens/read', 'tokens/filter', 'tokens/filter/files', 'tokens']);
  assert.equal([graph.get('raw')?.out, graph.get('raw')?.common.out], [undefined, 'data']);
  const files = graph.get('tokens/filter/files');
  assert.equal([files?.out, files?.rule.name, files?.filesOf, files?.named], [`${project}/clean`, 'write', 'tokens/filter', false]);
  assert.equal(
    files?.inputs.map(({ input, from, output }) => [input, from.name, output]),
    [['documents', 'tokens/filter', 'kept']],
  );
});

test('the target that writes files takes no name that the config gives', () => {
  assert.equal(names(graphOf({ raw: read({ out: 'data' }), 'raw/files': read() })), ['raw', 'raw/files-2', 'raw/files']);
});

test('an index without out lies beside its shards', () => {
  const shards = shard(tokenize(read(), { tokenizer: 't' }), { out: 'out' });
  assert.is(graphOf({ train: index(shards) }).get('train')?.out, `${project}/out`);
  assert.is(graphOf({ train: index(shards, { out: 'other' }) }).get('train')?.out, `${project}/other`);
});

test('an out in a bucket is its address, for rules as well, and no folder of this machine', () => {
  const shards = shard(tokenize(read(), { tokenizer: 't' }), { out: 's3://bucket/sets/x//' });
  const graph = graphOf({ shards, train: index(shards) });
  assert.equal([graph.get('shards')?.out, graph.get('train')?.out], ['s3://bucket/sets/x', 's3://bucket/sets/x']);
  assert.is(inherited.at(-1)?.out, 's3://bucket/sets/x');
  assert.is(inherited.at(-1)?.ancestors.find(({ rule }) => rule === 'shard')?.out, 's3://bucket/sets/x');
  assert.equal(graph.folders, []);
});

test('onBadRecord of the config is that of every target which does not say otherwise', () => {
  const graph = graphOf(
    { a: read(), b: read({ onBadRecord: 'quarantine' }), c: read({ onBadRecord: undefined }) },
    { onBadRecord: 'fail' },
  );
  assert.equal(
    graph.targets.map(({ common }) => common.onBadRecord),
    ['fail', 'quarantine', 'fail'],
  );
});

const chain = (): AnyTarget => shard(tokenize(read(), { tokenizer: 't' }));
const loose = <T>(value: unknown): T => value as T;
const holdsItself = (): Targets => {
  const folder: Record<string, unknown> = { raw: read() };
  folder.again = folder;
  return loose(folder);
};

const misuses: readonly [says: string, targets: () => Targets, where: string, message: string][] = [
  [
    'a name that is a command’s syntax',
    () => ({ '-n': read() }),
    '9',
    '-n: is no good name; use letters, digits and _ @ . + = -, and begin with a letter or digit',
  ],
  [
    'a name that leads out of a folder',
    () => ({ '..': read() }),
    '9',
    '..: is no good name; use letters, digits and _ @ . + = -, and begin with a letter or digit',
  ],
  [
    'an empty name within a path',
    () => ({ a: { '': read() } }),
    '9',
    'a/: is no good name; use letters, digits and _ @ . + = -, and begin with a letter or digit',
  ],
  ['a number as target', () => loose({ a: { b: 3 } }), '9', 'a/b: must be a target or an object of targets, but is 3'],
  [
    'a rule that was not called',
    () => loose({ a: read }),
    '9',
    'a: must be a target or an object of targets, but is a function that was not called',
  ],
  ['a list of targets', () => loose({ a: [read()] }), '9', 'a: must be a target or an object of targets, but is a list'],
  ['a promise', () => loose({ a: Promise.resolve(1) }), '9', 'a: must be a target or an object of targets, but is a promise; await it'],
  ['nothing', () => loose({ a: undefined }), '9', 'a: must be a target or an object of targets, but is undefined'],
  ['a folder that holds itself', holdsItself, '9', 'again: holds itself'],
  [
    'one name for two targets',
    () => ({ 'a/b': read(), a: { b: union([read()]) } }),
    '3',
    'a/b: this name stands for two targets: read() at datasets.config.ts:3 and union() at datasets.config.ts:3',
  ],
  [
    'a name that is another target’s output',
    () => {
      const clean = filter(read());
      return { clean, 'clean.rejected': read() };
    },
    '3',
    'clean.rejected: this name stands for two targets: read() at datasets.config.ts:3 and filter() at datasets.config.ts:3',
  ],
  ['an unknown option', () => ({ a: read(loose({ form: 'y' })) }), '3', 'a: form is not an option of this rule. Did you mean "from"?'],
  ['a bad value', () => ({ s: shard(tokenize(read(), { tokenizer: 't' }), { length: 0 }) }), '3', 's: length must be at least 1, but is 0'],
  ['a missing option', () => ({ t: tokenize(read()) }), '3', 't: tokenizer is missing'],
  [
    'a mistyped choice',
    () => ({ s: shard(tokenize(read(), { tokenizer: 't' }), loose({ labels: 'shiftd' })) }),
    '3',
    's: labels must be one of shifted, hf, but is "shiftd". Did you mean "shifted"?',
  ],
  [
    'an unnamed target’s option',
    () => ({ t: tokenize(filter(read(), { charsMin: -1 }), { tokenizer: 't' }) }),
    '3',
    't/filter: charsMin must be at least 0, but is -1',
  ],
  [
    'an option of the user’s own filter',
    () => {
      const short = defineFilter({ name: 'graph-short', options: { charsMin: integer() }, decide: () => keep });
      return { a: filter(read(), { use: [short(loose({ charMin: 3, charsMin: 2 }))] }) };
    },
    '3',
    'a: use[0] (graph-short) charMin is not an option of this rule. Did you mean "charsMin"?',
  ],
  ['retries below 0', () => ({ a: read({ retries: -1 }) }), '3', 'a: retries must be at least 0, but is -1'],
  ['an out that is no text', () => ({ a: read(loose({ out: 3 })) }), '3', 'a: out must be a text, but is 3'],
  ['an empty out', () => ({ a: read({ out: '' }) }), '3', 'a: out must name a folder, but is empty'],
  ['a tag that is no text', () => ({ a: read(loose({ tags: ['x', 1] })) }), '3', 'a: tags [1]: must be a text, but is 1'],
  [
    'an unknown resource',
    () => ({ a: read(loose({ resources: { memmory: '1GB' } })) }),
    '3',
    'a: resources.memmory is no resource. Did you mean "memory"?',
  ],
  [
    'a bad resource',
    () => ({ a: read(loose({ resources: { memory: 3 } })) }),
    '3',
    `a: resources.memory must be a size such as '500MB' or '2GB', but is 3`,
  ],
  [
    'resources that are no object',
    () => ({ a: read(loose({ resources: '1GB' })) }),
    '3',
    `a: resources must be an object such as { memory: '4GB', cpus: 2 }, but is "1GB"`,
  ],
  [
    'an unknown onBadRecord',
    () => ({ a: read(loose({ onBadRecord: 'ignore' })) }),
    '3',
    'a: onBadRecord must be one of quarantine, fail, but is "ignore".',
  ],
  ['a share above 1', () => ({ a: read({ badRecordShareMax: 5 }) }), '3', 'a: badRecordShareMax must be at most 1, but is 5'],
  [
    'an out outside of the project',
    () => ({ a: read({ out: '../x' }) }),
    '3',
    'a: out must be a folder inside the project, but "../x" lies outside',
  ],
  [
    'an absolute out elsewhere',
    () => ({ a: read({ out: '/data' }) }),
    '3',
    'a: out must be a folder inside the project, but "/data" lies outside',
  ],
  [
    'an out that is the project',
    () => ({ a: read({ out: 'x/..' }) }),
    '3',
    'a: out must be a folder inside the project, but "x/.." is the project itself',
  ],
  [
    'an out in dsbuild’s own folder',
    () => ({ a: read({ out: '.dsbuild/out' }) }),
    '3',
    'a: out must not lie inside .dsbuild, but is ".dsbuild/out"',
  ],
  ['an out in git’s folder', () => ({ a: read({ out: 'x/../.git' }) }), '3', 'a: out must not lie inside .git, but is "x/../.git"'],
  [
    'an out on a server',
    () => ({ a: read({ out: 'https://host/x' }) }),
    '3',
    'a: out must be a folder of the project or s3://bucket/prefix, but is the address "https://host/x"',
  ],
  [
    'an out with a password',
    () => ({ a: read({ out: 's3://AKIAKEY:SECRET/PW@bucket/x' }) }),
    '3',
    'a: out must hold no user and no password: credentials come from the environment or a profile',
  ],
  [
    'an out with a query',
    () => ({ a: read({ out: 's3://bucket/x?X-Amz-Signature=SECRET' }) }),
    '3',
    'a: out must be s3://bucket/prefix without a query, but has one behind "s3://bucket/x"',
  ],
  ['an out without a bucket', () => ({ a: read({ out: 's3:///x' }) }), '3', 'a: out must be s3://bucket/prefix, but is "s3:///x"'],
  [
    'an out that leads to another prefix',
    () => ({ a: read({ out: 's3://bucket/x/../y' }) }),
    '3',
    'a: out must have no empty segment and none that leads elsewhere, but is "s3://bucket/x/../y"',
  ],
  [
    'a missing input',
    () => ({ t: loose<typeof tokenize>(tokenize)(loose(undefined), { tokenizer: 't' }) }),
    '3',
    't: documents is undefined: declare the target above the line that takes it',
  ],
  [
    'options in the place of an input',
    () => ({ t: filter(loose({ charsMin: 3 })) }),
    '3',
    't: documents must be a target, but is an object with charsMin',
  ],
  ['a rule as input', () => ({ t: filter(loose(read)) }), '3', 't: documents must be a target, but is a function that was not called'],
  [
    'an input of another kind',
    () => ({ t: shard(loose(filter(read()))) }),
    '3',
    't: tokens must be tokens, but is documents, made by filter()',
  ],
  ['a list where one target belongs', () => ({ t: filter(loose([read()])) }), '3', 't: documents must be a target, but is a list'],
  [
    'one target where a list belongs',
    () => ({ t: union(loose(read())) }),
    '3',
    't: documents must be a list or an object of targets, but is one target; write [it]',
  ],
  ['an empty list', () => ({ t: union([]) }), '3', 't: documents must hold at least one target, but is empty'],
  ['something else in a list', () => ({ t: union(loose({ a: read(), b: 'raw' })) }), '3', 't: documents.b must be a target, but is "raw"'],
  [
    'one target where several inputs belong',
    () => ({ t: minus(loose(read())) }),
    '3',
    't: takes an object of inputs { documents, against }, but got one target',
  ],
  [
    'a mistyped input',
    () => ({ t: minus(loose({ documents: read(), against: [read()], agianst: [read()] })) }),
    '3',
    't: agianst is not an input of this rule. Did you mean "against"?',
  ],
  [
    'a target given to a rule that takes none',
    () => ({ t: read(loose(read())) }),
    '3',
    't: takes no target, only options; it is where data comes from',
  ],
  [
    'two documents in one folder',
    () => ({ a: read({ out: 'x' }), b: read({ out: './x/' }) }),
    '3',
    'b: out "x" is already published by a (datasets.config.ts:3); two targets of the same kind can not share a folder',
  ],
  [
    'two shards in one folder',
    () => ({ a: shard(tokenize(read(), { tokenizer: 't' }), { out: 'x' }), b: shard(tokenize(read(), { tokenizer: 't' }), { out: 'x' }) }),
    '3',
    'b: out "x" is already published by a (datasets.config.ts:3); two targets of the same kind can not share a folder',
  ],
  [
    'two indexes beside the same shards',
    () => {
      const shards = shard(tokenize(read(), { tokenizer: 't' }), { out: 'x' });
      return { a: index(shards), b: index(shards, { length: 3 }) };
    },
    '3',
    'b: out "x" is already published by a (datasets.config.ts:3); two targets of the same kind can not share a folder',
  ],
];

for (const [says, targets, line, message] of misuses) {
  test(`refused: ${says}`, () => {
    const refusal = refusalOf(() => graphOf(targets()));
    assert.equal(refusal, { code: 'bad-config', where: `datasets.config.ts:${line}`, message, hint: undefined });
  });
}

test('shards and documents may share a folder, and one folder may lie in another', () => {
  const shards = shard(tokenize(read({ out: 'x' }), { tokenizer: 't' }), { out: 'x' });
  const inner = shard(tokenize(read(), { tokenizer: 't' }), { out: 'x/validation' });
  assert.is(graphOf({ shards, inner, train: index(shards) }).targets.length, 8);
});

test('a secret option takes secrets only, and a pasted value is not shown', () => {
  assert.is(graphOf({ a: read({ secrets: { token: secret('HF_TOKEN') } }) }).targets.length, 1);
  const { message } = refusalOf(() => graphOf({ a: read({ secrets: { token: 'hf_very_secret' } }) }));
  assert.is(message, "a: secrets.token must be secret('VARIABLE'), the name of an environment variable");
});

test('targets that need each other are named, however they came to', () => {
  const first = filter(read());
  const second = union({ first });
  const third = filter(second);
  loose<{ documents: AnyTarget }>(first.node.inputs).documents = third;
  assert.is(refusalOf(() => graphOf({ first, third })).message, 'first: needs itself: first needs third needs third/union needs first');
});

test('a circle through a getter is named too', () => {
  const all: AnyTarget = union({
    get more() {
      return loose<ReturnType<typeof read>>(all);
    },
  });
  assert.is(refusalOf(() => graphOf({ all })).message, 'all: needs itself: all needs all');
});

test('a one-shot command may publish anywhere but in reserved folders', () => {
  assert.is(graphOf({ a: read({ out: '/data/x' }) }, { outRoot: '/' }).get('a/files')?.out, '/data/x');
  assert.match(refusalOf(() => graphOf({ a: read({ out: '/x/.git/y' }) }, { outRoot: '/' })).message, /must not lie inside \.git/);
  assert.match(refusalOf(() => graphOf({ a: read({ out: '.' }) }, { outRoot: '/' })).message, /is the project itself/);
});

test('a missing option that would be inherited is not held against a target whose source is at fault', () => {
  const { message } = refusalOf(() => graphOf({ i: index(shard(tokenize(read(), loose({ tokeniser: 't' })))) }));
  assert.equal(message.split('\n'), [
    'the config has 2 problems:',
    '  datasets.config.ts:3  i/tokenize: tokeniser is not an option of this rule. Did you mean "tokenizer"?',
    '  datasets.config.ts:3  i/tokenize: tokenizer is missing',
  ]);
});

test('all problems of a config are told at once', () => {
  const refusal = refusalOf(() => graphOf({ a: read({ retries: -1, out: '..' }), b: loose(3), s: chain() }, { onBadRecord: loose('x') }));
  assert.is(refusal.where, undefined);
  assert.equal(refusal.message.split('\n'), [
    'the config has 4 problems:',
    '  datasets.config.ts:9  onBadRecord must be one of quarantine, fail, but is "x".',
    '  datasets.config.ts:9  b: must be a target or an object of targets, but is 3',
    '  datasets.config.ts:3  a: retries must be at least 0, but is -1',
    '  datasets.config.ts:3  a: out must be a folder inside the project, but ".." lies outside',
  ]);
});

async function loadedGraph(of: Project): Promise<Graph> {
  return buildGraph({ ...(await of.load()), publishers: { documents: write.rule } });
}

test('a bad option in a config with imports is found at its line, and the folder of a module is its own', async () => {
  const of = createProject({
    'datasets.config.ts': `import { defineConfig, pack } from 'dsbuild';
import { raw } from './lib/raw.ts';

export default defineConfig({
  targets: {
    raw,
    shards: pack(raw, {
      lenght: 8,
      out: 'out',
    }),
  },
});
`,
    'lib/raw.ts': `import { read } from 'dsbuild';\n\nexport const raw =\n  read({ from: 3, out: 'data' });\n`,
  });
  const error = await failureOf(loadedGraph(of));
  assert.equal(error.message.split('\n').slice(1), [
    '  lib/raw.ts:4  raw: from must be a text, but is 3',
    '  datasets.config.ts:7  shards: lenght is not an option of this rule. Did you mean "length"?',
  ]);
  of.write({ 'lib/raw.ts': `import { read } from 'dsbuild';\nexport const raw = read({ out: 'data' });\n` });
  assert.is((await failureOf(loadedGraph(of))).where, 'datasets.config.ts:7');
});

test('a target’s folder is that of the module that declares it', async () => {
  const of = createProject({
    'datasets.config.ts': `import { defineConfig, pack } from 'dsbuild';\nimport { raw } from './lib/raw.ts';\nexport default defineConfig({ targets: { raw, shards: pack(raw, { out: 'out' }) } });\n`,
    'lib/raw.ts': `import { read } from 'dsbuild';\nexport const raw = read({ out: 'data' });\n`,
  });
  const graph = await loadedGraph(of);
  assert.equal(
    [graph.get('raw')?.base, graph.get('raw/files')?.out, graph.get('raw')?.where],
    [of.path('lib'), of.path('lib/data'), 'lib/raw.ts:2'],
  );
  assert.equal([graph.get('shards')?.base, graph.get('shards')?.out], [of.folder, of.path('out')]);
});

test('two targets with one folder are named with both places', async () => {
  const of = createProject({
    'datasets.config.ts': `import { defineConfig, read } from 'dsbuild';
export default defineConfig({ targets: {
  one: read({ out: 'data' }),
  other: read({ from: 'y', out: 'data' }),
} });
`,
  });
  const { where, message } = await failureOf(loadedGraph(of));
  assert.is(where, 'datasets.config.ts:4');
  assert.match(message, /^other: out "data" is already published by one \(datasets\.config\.ts:3\);/);
});

test.run();
