import { cpSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bpeEngine, huggingfaceEngine } from '../../rules/lib/tokenizer-contract.ts';
import { readNote } from '../../src/base/notes.ts';
import { chooseEngine } from '../../src/engine/tokenizer-engine.ts';
import type { TokenizerEngines } from '../../src/rule/options.ts';
import { checkout, Rig } from './rig.ts';

const test = suite('tokenizer engine');

/** A package with the face of the native one, whose id of any text is `id`. */
const nativePackage = (version: string, id = 7): Record<string, string> => ({
  'node_modules/tokenizers/package.json': JSON.stringify({ name: 'tokenizers', version, main: 'index.js' }),
  'node_modules/tokenizers/index.js': `exports.Tokenizer = { fromString: () => ({
    encode: async () => ({ getIds: () => [${id}] }), disableTruncation() {}, disablePadding() {}, tokenToId: () => 1 }) };`,
});

const wordLevel = {
  added_tokens: [],
  pre_tokenizer: { type: 'WhitespaceSplit' },
  model: { type: 'WordLevel', vocab: { '[UNK]': 0, '</s>': 1, line: 2 }, unk_token: '[UNK]' },
};

const config = `import { defineConfig, download, tokenize } from 'dsbuild';
const raw = download({ sources: { 'text/a': 'a.jsonl' } });
export default defineConfig({ targets: {
  raw,
  own: tokenize(raw, { tokenizer: 'own' }),
  other: tokenize(raw, { tokenizer: 'other', eos: '</s>' }),
} });
`;

function project(): Rig {
  const rig = new Rig();
  cpSync(checkout('fixtures/tokenizers/tiny'), rig.path('own'), { recursive: true });
  rig.write({ 'datasets.config.ts': config, 'a.jsonl': '{"text":"line of words"}\n', 'other/tokenizer.json': JSON.stringify(wordLevel) });
  return rig;
}

test('an installed or updated native package builds anew what it makes, and nothing else', async () => {
  const rig = project();
  const first = await rig.build();
  assert.equal(first.ran, ['other:encode', 'own:encode', 'raw:check']);
  const engines = ({ summary }: Awaited<ReturnType<Rig['build']>>): unknown[] =>
    ['own', 'other'].map((target) => summary.targets[target]?.engine);
  assert.equal(engines(first), [bpeEngine, huggingfaceEngine]);
  rig.write(nativePackage('0.23.2'));
  const second = await rig.build();
  assert.equal(second.ran, ['other:encode']);
  assert.equal(engines(second), [bpeEngine, 'tokenizers@0.23.2']);
  assert.match(second.summary.targets['other']?.why.join() ?? '', 'option tokenizer');
  assert.is(second.summary.targets['other']?.tokens, 1);
  // Said of kept targets too.
  const third = await rig.build();
  assert.equal(third.ran, []);
  assert.equal(engines(third), [bpeEngine, 'tokenizers@0.23.2']);
  rig.remove('node_modules');
  assert.equal((await rig.build()).ran, []);
});

test('a dry run names the same engine as the build, and writes nothing', async () => {
  const rig = project();
  const before = rig.tree('.dsbuild/tokenizers');
  const dry = await rig.build({ dryRun: true });
  assert.equal(rig.tree('.dsbuild/tokenizers'), before);
  await rig.build();
  const after = await rig.build({ dryRun: true });
  assert.equal(
    after.events.flatMap((event) => (event.type === 'target-started' ? [event.target] : [])),
    [],
  );
  assert.equal(dry.errors, []);
});

function asked(
  rig: Rig,
  change: Partial<TokenizerEngines> = {},
): { looks: () => number; ask: (remember?: boolean) => ReturnType<typeof chooseEngine> } {
  let looks = 0;
  const engines: TokenizerEngines = {
    own: 'own@1',
    general: 'general@1',
    native: { name: 'tokenizers', versions: /^0\.23\./ },
    whyNotOwn: () => {
      looks++;
      return Promise.resolve('a Unigram model');
    },
    differences: () => Promise.resolve([]),
    decoder: () => Promise.reject(new Error('nothing is decoded here')),
    ...change,
  };
  const digest = rig.root;
  const ask = (remember = true): ReturnType<typeof chooseEngine> =>
    chooseEngine({
      engines,
      model: { digest, read: () => Buffer.from('{}') },
      base: rig.path('config'),
      stateDir: rig.path('.dsbuild'),
      remember,
    });
  return { looks: () => looks, ask };
}

test("dsbuild's own engine is taken where it represents the file, whatever is installed", async () => {
  const rig = new Rig();
  rig.write(nativePackage('0.23.2'));
  assert.equal(await asked(rig, { whyNotOwn: () => Promise.resolve(undefined) }).ask(), { engine: 'own@1' });
});

test('without the native package the general engine is taken, and it is said why', async () => {
  const rig = new Rig();
  const whyNotOwn = 'a Unigram model';
  assert.equal(await asked(rig).ask(), { engine: 'general@1', whyNotOwn, whyNotNative: 'the package tokenizers is not installed' });
  rig.write(nativePackage('0.13.9'));
  assert.match((await asked(rig).ask()).whyNotNative ?? '', /tokenizers@0\.13\.9 is not a version/);
  rig.write({ ...nativePackage('0.23.9'), 'node_modules/tokenizers/index.js': 'throw new Error("no binary for this platform")' });
  assert.match((await asked(rig).ask()).whyNotNative ?? '', /tokenizers@0\.23\.9 can not be loaded here: no binary/);
});

test('the native package is found from the folder of the config upward', async () => {
  const rig = new Rig();
  rig.write(nativePackage('0.23.5'));
  assert.equal(await asked(rig).ask(), {
    engine: 'tokenizers@0.23.5',
    whyNotOwn: 'a Unigram model',
    folder: rig.path('node_modules/tokenizers'),
  });
});

test('a file is looked into once, for each version of the own engine', async () => {
  const rig = new Rig();
  const { looks, ask } = asked(rig);
  await Promise.all([ask(), ask()]);
  assert.is(looks(), 1);
  assert.equal(Object.values(readNote<object>(rig.path('.dsbuild/tokenizers/engines.json')) ?? {}), ['a Unigram model']);
  const other = asked(rig, { own: 'own@2', whyNotOwn: () => Promise.resolve(undefined) });
  assert.equal(await other.ask(), { engine: 'own@2' });
  rig.write({ '.dsbuild/tokenizers/engines.json': 'torn' });
  assert.is((await ask()).engine, 'general@1');
});

test.run();
