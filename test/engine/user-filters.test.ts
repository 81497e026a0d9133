import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rig } from './rig.ts';

const test = suite('filters of the user');

const config = (use: string): string => `import { defineConfig, download, exportDataset, filter } from 'dsbuild';
import { even } from './even.ts';
const raw = download({ sources: { 'text/a': 'a.jsonl' } });
export default defineConfig({ targets: { out: exportDataset(filter(raw, { use: ${use} }), { format: 'jsonl', out: 'out' }) } });
`;
const even = `import { defineFilter, drop, keep } from 'dsbuild';
export const even = defineFilter({ name: 'even', decide: ({ text }) => (text.length % 2 === 0 ? keep : drop('odd')) });
`;

for (const use of ['even()', 'even({})', '[even(), even(undefined)]']) {
  test(`a filter without options is called as ${use}`, async () => {
    const rig = new Rig();
    rig.write({ 'datasets.config.ts': config(use), 'even.ts': even, 'a.jsonl': '{"text":"ab"}\n{"text":"abc"}\n' });
    const { summary } = await rig.build();
    assert.ok(summary.ok);
    const [name = ''] = Object.keys(rig.tree('out')).filter((file) => file.endsWith('.jsonl'));
    const texts = rig.read(`out/${name}`).toString('utf8').trim().split('\n');
    assert.equal(
      texts.map((line) => (JSON.parse(line) as { text: string }).text),
      ['ab'],
    );
  });
}

test('a filter whose decision is no function is refused with its file and line', async () => {
  const rig = new Rig();
  const wrong = even.replace('decide:', 'descide:');
  rig.write({ 'datasets.config.ts': config('even()'), 'even.ts': wrong, 'a.jsonl': '{"text":"ab"}\n' });
  const error = await rig.build().catch((thrown: unknown) => thrown as { code: string; where: string; message: string; hint: string });
  assert.equal(
    { ...error, ...('message' in error && { message: error.message }) },
    {
      name: 'BuildError',
      code: 'bad-config',
      where: 'even.ts:2:21',
      message: 'defineFilter "even": decide is missing: it must be a function; descide is not known here. Did you mean "decide"?',
      hint: 'defineFilter takes name, version (may be left out), options (may be left out), decide.',
    },
  );
});

const listing = (imported: string): string => `import { defineFilter, keep } from 'dsbuild';
${imported}
export const even = defineFilter({ name: 'even', decide: () => (words.length > 0 ? keep : keep) });
`;

test('a filter that reads files by itself is warned of in every build, and one that imports them is not', async () => {
  const rig = new Rig();
  const asked = async (files: Readonly<Record<string, string>>): Promise<readonly unknown[]> => {
    rig.write(files);
    const { events, summary } = await rig.build();
    assert.is(summary.ok, true);
    return events.flatMap((event) => (event.type === 'warning' ? [[event.code, event.where]] : []));
  };
  const reads = listing("import { words } from './words.ts';");
  const given = { 'datasets.config.ts': config('even()'), 'a.jsonl': '{"text":"ab"}\n', 'words.txt': 'a b', 'words.json': '["a"]' };
  const path = JSON.stringify(rig.path('words.txt'));
  const inPlace = `import { readFileSync } from 'node:fs';\nexport const words = readFileSync(${path}, 'utf8');\n`;
  assert.equal(await asked({ ...given, 'even.ts': reads, 'words.ts': inPlace }), [['impure-code', 'words.ts']]);
  assert.equal(await asked({}), [['impure-code', 'words.ts']], 'nothing was to be done');
  assert.equal(await asked({ 'even.ts': listing("import words from './words.json';") }), []);
  rig.write({ 'words.json': '["b"]' });
  const { ran } = await rig.build();
  assert.ok(
    ran.some((step) => step.endsWith(':decide')),
    'what is imported is in the key',
  );
});

test('what a filter is called with that is no object of options is refused with the line of the call', async () => {
  const rig = new Rig();
  rig.write({ 'datasets.config.ts': config("even('x' as never)"), 'even.ts': even, 'a.jsonl': '{"text":"ab"}\n' });
  const error = await rig.build().catch((thrown: unknown) => thrown as { where: string; message: string });
  assert.is('message' in error && error.message, '"even" takes an object of options, but got "x"');
  assert.is('where' in error && error.where, 'datasets.config.ts:4:80');
});

const texts = (rig: Rig, out: string): string[] =>
  rig
    .read(`${out}/text/a.jsonl`)
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
const both = (first: string, second: string): string => `import { defineConfig, download, exportDataset, filter } from 'dsbuild';
${first}
${second}
const raw = download({ sources: { 'text/a': 'a.jsonl' } });
const kept = (use: ReturnType<typeof even>, out: string) => exportDataset(filter(raw, { use }), { format: 'jsonl', out });
export default defineConfig({ targets: { evens: kept(even(), 'evens'), odds: kept(odd(), 'odds') } });
`;
const oddOf = (text: string): string => text.replace('const even', 'const odd').replace('=== 0', '=== 1');

test('filters of two modules that have one name are each their own, whichever is loaded last', async () => {
  const imports = ["import { even } from './even.ts';", "import { odd } from './odd.ts';"] as const;
  for (const [first, second] of [imports, [imports[1], imports[0]]] as const) {
    const rig = new Rig();
    rig.write({
      'datasets.config.ts': both(first, second),
      'even.ts': even,
      'odd.ts': oddOf(even),
      'a.jsonl': '{"text":"ab"}\n{"text":"abc"}\n',
    });
    assert.ok((await rig.build()).summary.ok);
    assert.equal([texts(rig, 'evens'), texts(rig, 'odds')], [['ab'], ['abc']]);
  }
});

test('so is one of a module that imports the other', async () => {
  const rig = new Rig();
  const odd = `import { even } from './even.ts';\nexport { even };\n${oddOf(even)}`;
  rig.write({ 'datasets.config.ts': both("import { even, odd } from './odd.ts';", ''), 'even.ts': even, 'odd.ts': odd });
  rig.write({ 'a.jsonl': '{"text":"ab"}\n{"text":"abc"}\n' });
  assert.ok((await rig.build()).summary.ok);
  assert.equal([texts(rig, 'evens'), texts(rig, 'odds')], [['ab'], ['abc']]);
});

test('two of one module that have one name are refused where the second is defined', async () => {
  const rig = new Rig();
  const [, second = ''] = oddOf(even).split('\n');
  rig.write({ 'datasets.config.ts': both("import { even, odd } from './even.ts';", ''), 'even.ts': `${even}${second}\n` });
  rig.write({ 'a.jsonl': '{"text":"ab"}\n' });
  const { summary, events } = await rig.build();
  assert.is(summary.ok, false);
  const failed = events.find((event) => event.type === 'target-failed');
  assert.equal(
    [failed?.type === 'target-failed' && failed.error.message, failed?.type === 'target-failed' && failed.error.where],
    ['there is another filter with the name "even"', 'datasets.config.ts:5 evens/filter.use › even.ts:3:20'],
  );
});

test.run();
