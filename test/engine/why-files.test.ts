/** `why` names files where a key has digests: of filters, adapters, rules, tokenizers and other files of options. */
import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readNote, writeNote } from '../../src/base/notes.ts';
import type { LastPlan } from '../../src/engine/last-plan.ts';
import { why } from '../../src/engine/why.ts';
import { type Built, checkout, Rig } from './rig.ts';

const test = suite('why-files');

const config = `import { command, defineConfig, defineFilter, download, drop, filter, files, keep, tokenize } from 'dsbuild';
import { long } from './filters/long.ts';
import { chat } from './adapters/chat.ts';
import { own } from './rules/own.ts';
const inline = defineFilter({ name: 'inline', decide: ({ text }) => text === 'no' ? drop('no') : keep });
const raw = download({ sources: { 'a/one': files('in/one.jsonl', { adapt: chat }) } });
const clean = filter(raw, { use: [long(), long()] });
const plain = filter(raw, { use: inline() });
const made = command(raw, { run: ['cat', 'tool.txt'], tools: ['tool.txt'], version: '1' });
const tokens = tokenize(clean, { tokenizer: './tokenizer' });
export default defineConfig({ targets: { raw, clean, plain, mine: own(raw), tokens } });
`;

const files = {
  'datasets.config.ts': config,
  'in/one.jsonl': `${JSON.stringify({ said: 'the first line' })}\n${JSON.stringify({ said: 'its second line' })}\n`,
  'adapters/chat.ts': `import { defineAdapter } from 'dsbuild';
export const chat = defineAdapter({ name: 'chat', adapt: ({ said }) => ({ text: String(said) }) });
`,
  'filters/long.ts': `import { defineFilter, drop, keep } from 'dsbuild';
import { charactersMin } from './limits.ts';
import { words } from 'lists';
export const long = defineFilter({ name: 'long', decide: ({ text }) => text.length < charactersMin + words ? drop('short') : keep });
`,
  'filters/limits.ts': 'export const charactersMin = 2;\n',
  'node_modules/lists/package.json': '{"name":"lists","version":"1.0.0","main":"index.js"}',
  'node_modules/lists/index.js': "import { one } from './one.js'; export const words = one;\n",
  'node_modules/lists/one.js': 'export const one = 1;\n',
  'rules/own.ts': `import { defineRule, defineStep } from 'dsbuild';
const copy = defineStep('copy', { version: 1 }, ({ chunk }, _, io) => {
  const records = io.records();
  for (const { document } of io.documents(chunk)) records.write(Buffer.from(JSON.stringify({ ...document, text: document.text + '.' })));
  records.close();
});
export const own = defineRule({
  name: 'own', version: 1, doc: 'Copies documents.', inputs: { documents: 'documents' }, output: 'documents', options: {}, steps: [copy],
  async plan({ documents }, _, build) {
    for await (const chunk of documents) build.emit(build.step(copy, { chunk }, {}));
  },
});
`,
};

function laid(): Rig {
  const rig = new Rig();
  const tokenizer = new Rig(checkout('fixtures/tokenizers/tiny'));
  rig.write({ ...files, 'tokenizer/tokenizer.json': tokenizer.read('tokenizer.json') });
  rig.write({ 'tokenizer/tokenizer_config.json': tokenizer.read('tokenizer_config.json') });
  return rig;
}

const edit = (rig: Rig, name: string, change: (text: string) => string): void => rig.write({ [name]: change(rig.read(name).toString()) });

const reasonsOf = (rig: Rig, target: string): Promise<readonly string[]> =>
  rig.withProject(async (project) => (await why(project, target)).reasons);

const saidBy = ({ events }: Built, target: string): readonly string[] =>
  events.flatMap((event) => (event.type === 'target-started' && event.target === target ? event.why : []));

test('an edited module is named by its own name or that of the file it imports, in why as in the build', async () => {
  const rig = laid();
  assert.equal((await rig.build()).errors, []);
  edit(rig, 'filters/long.ts', (text) => text.replace("'short'", "'too-short'"));
  assert.equal(await reasonsOf(rig, 'clean'), ['filters/long.ts changed'], 'once, though two options are of it');
  assert.equal(saidBy(await rig.build(), 'clean'), ['filters/long.ts changed']);
  edit(rig, 'filters/limits.ts', (text) => text.replace('2', '3'));
  assert.equal(await reasonsOf(rig, 'clean'), ['filters/limits.ts changed']);
  edit(rig, 'node_modules/lists/one.js', (text) => text.replace('= 1', '= 2'));
  assert.equal(await reasonsOf(rig, 'clean'), ['filters/limits.ts and the package lists changed']);
  edit(rig, 'filters/long.ts', (text) => text.replace("'./limits.ts'", "'./other.ts'"));
  rig.write({ 'filters/other.ts': 'export const charactersMin = 5;\n' });
  assert.equal(await reasonsOf(rig, 'clean'), [
    'filters/long.ts and the package lists changed, filters/other.ts is imported now, filters/limits.ts is not imported any more',
  ]);
});

test('an adapter, a rule of the user, a tokenizer and a filter in the config itself are named by their files', async () => {
  const rig = laid();
  assert.equal((await rig.build()).errors, []);
  edit(rig, 'adapters/chat.ts', (text) => text.replace('String(said)', "String(said) + '.'"));
  edit(rig, 'rules/own.ts', (text) => text.replace("'.'", "'!'"));
  edit(rig, 'tokenizer/tokenizer.json', (text) => `${text}\n`);
  edit(rig, 'datasets.config.ts', (text) => text.replace("drop('no')", "drop('none')"));
  assert.equal(await reasonsOf(rig, 'raw'), ['adapters/chat.ts changed']);
  const own = async (target: string): Promise<readonly string[]> =>
    (await reasonsOf(rig, target)).filter((reason) => !/^input | is stale: /.test(reason));
  assert.equal(await own('mine'), ['rules/own.ts changed']);
  assert.equal(
    await own('plain'),
    ['adapters/chat.ts, datasets.config.ts and rules/own.ts changed'],
    'whose bundle has all that it imports',
  );
  assert.equal(await own('tokens'), ['tokenizer/tokenizer.json changed']);
});

test('another file in the place of one is named with both', async () => {
  const rig = laid();
  await rig.build();
  rig.write({ 'other/tokenizer.json': Buffer.concat([rig.read('tokenizer/tokenizer.json'), Buffer.from('\n')]) });
  rig.write({ 'other/tokenizer_config.json': rig.read('tokenizer/tokenizer_config.json') });
  edit(rig, 'datasets.config.ts', (text) => text.replace("'./tokenizer'", "'./other'"));
  assert.equal(await reasonsOf(rig, 'tokens'), ['option tokenizer.model: tokenizer/tokenizer.json -> other/tokenizer.json']);
});

test('the names are beside the key: a comment or a moved file changes none, and is not told of later', async () => {
  const rig = laid();
  await rig.build();
  edit(rig, 'filters/long.ts', (text) => `// A comment.\n${text}`);
  assert.equal((await rig.build()).ran, []);
  edit(rig, 'filters/limits.ts', (text) => text.replace('2', '3'));
  assert.equal(await reasonsOf(rig, 'clean'), ['filters/limits.ts changed']);
});

test('a record of an earlier version, without names, says what is there now', async () => {
  const rig = laid();
  await rig.build();
  for (const name of readdirSync(rig.path('.dsbuild/plans')).filter((one) => one.endsWith('.json'))) {
    const { names: _, ...old } = readNote<LastPlan>(rig.path(`.dsbuild/plans/${name}`)) as LastPlan;
    writeNote(rig.path(`.dsbuild/plans/${name}`), old);
  }
  assert.equal(await reasonsOf(rig, 'clean'), ['nothing changed']);
  edit(rig, 'filters/long.ts', (text) => text.replace("'short'", "'too-short'"));
  assert.equal(await reasonsOf(rig, 'clean'), [
    'option use[0].bundle: filters/long.ts is not what was there before',
    'option use[1].bundle: filters/long.ts is not what was there before',
  ]);
});

test.run();
