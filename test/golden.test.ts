import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunCase } from './golden/cases.ts';
import { type GoldenSetup, goldenChecks, ownChecks } from './golden.ts';

/** A checkout with one rule `double`, which imports lib/times.ts, and one case of it. */
const checkout = {
  'rules/double.ts': `import { times } from './lib/times.ts';\nexport const double = (x: number): number => times(x, 2);\n`,
  'rules/lib/times.ts': `// multiplies\nexport const times = (a: number, b: number): number => a * b;\n`,
  'rules/lib/unused.ts': `export const unused = 1;\n`,
  'fixtures/double/small/case.json': `{ "options": {} }\n`,
  'fixtures/double/small/in.jsonl': `{"text":"a"}\n`,
  'fixtures/double/notes/readme.txt': `no case\n`,
  'fixtures/sample/chat.jsonl': `{"text":"no rule"}\n`,
};

interface Fake {
  root: string;
  version: number;
  outputs: Record<string, string>;
}

const test = suite<{ fake: Fake }>('golden runner');

const write = (fake: Fake, files: Record<string, string>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(fake.root, name)), { recursive: true });
    writeFileSync(join(fake.root, name), text);
  }
};

const setupOf = (fake: Fake, accept: boolean): GoldenSetup => ({
  root: fake.root,
  runCase: ((_rule, folder) => {
    readFileSync(join(folder, 'in.jsonl'));
    return Promise.resolve({ version: fake.version, outputs: fake.outputs });
  }) satisfies RunCase,
  versionOf: () => Promise.resolve(fake.version),
  accept,
});

/** What is wrong, by check. */
async function faults(fake: Fake, accept = false): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  for (const { name, check } of goldenChecks(setupOf(fake, accept))) said[name] = (await check()).join('\n');
  return said;
}

const none = { double: '', 'double/small': '' };

test.before.each((context) => {
  context.fake = { root: mkdtempSync(join(tmpdir(), 'dsbuild-golden-')), version: 1, outputs: { 'out.jsonl': 'aa', 'more.jsonl': 'bb' } };
  write(context.fake, checkout);
});
test.after.each(({ fake }) => rmSync(fake.root, { recursive: true, force: true }));

test('what was never recorded fails and names the command that records it', async ({ fake }) => {
  const said = await faults(fake);
  assert.equal(Object.keys(said), ['double', 'double/small']);
  assert.match(said['double'] as string, /not pinned; pin it: .*--accept double$/);
  assert.match(said['double/small'] as string, /no digests for version 1.*--accept double\/small$/);
});

test('what was recorded passes, and again', async ({ fake }) => {
  assert.equal(await faults(fake, true), none);
  assert.equal(await faults(fake), none);
  assert.equal(await faults(fake), none);
});

test('a changed output without a new version fails and says what changed and what to do', async ({ fake }) => {
  await faults(fake, true);
  fake.outputs = { 'out.jsonl': 'cc', 'extra.jsonl': 'dd' };
  const said = (await faults(fake))['double/small'] as string;
  assert.match(said, /still version 1/);
  assert.match(said, / {2}out\.jsonl: aa -> cc/);
  assert.match(said, / {2}extra\.jsonl: not there -> dd/);
  assert.match(said, / {2}more\.jsonl: bb -> not there/);
  assert.match(said, /Raise its version, or accept with: .*--accept double\/small/);
});

test('an accepted output passes under the same version', async ({ fake }) => {
  await faults(fake, true);
  fake.outputs = { 'out.jsonl': 'cc' };
  await faults(fake, true);
  assert.equal(await faults(fake), none);
});

test('a new version is recorded beside the old one', async ({ fake }) => {
  await faults(fake, true);
  fake.version = 2;
  fake.outputs = { 'out.jsonl': 'cc' };
  const said = await faults(fake);
  assert.match(said['double'] as string, /now version 2; pin its source/);
  assert.match(said['double/small'] as string, /no digests for version 2/);
  assert.equal(await faults(fake, true), none);
  assert.equal(JSON.parse(readFileSync(join(fake.root, 'fixtures/double/small/digests.json'), 'utf8')), {
    1: { 'more.jsonl': 'bb', 'out.jsonl': 'aa' },
    2: { 'out.jsonl': 'cc' },
  });
});

test('a version that goes back fails', async ({ fake }) => {
  fake.version = 3;
  await faults(fake, true);
  fake.version = 2;
  const said = await faults(fake);
  assert.match(said['double'] as string, /versions only rise/);
  assert.match(said['double/small'] as string, /versions only rise/);
});

test('a case without outputs fails even when accepted', async ({ fake }) => {
  fake.outputs = {};
  assert.match((await faults(fake, true))['double/small'] as string, /gives no outputs/);
});

test('a change in a file that the rule imports fails its pin and names the file', async ({ fake }) => {
  await faults(fake, true);
  write(fake, { 'rules/lib/times.ts': `export const times = (a: number, b: number): number => b * a;\n` });
  const said = (await faults(fake))['double'] as string;
  assert.match(said, /code of double changed, but it is still version 1: rules\/lib\/times\.ts\./);
  assert.match(said, /--accept double$/);
  fake.version = 2;
  assert.equal(await faults(fake, true), none);
});

test('comments, types, white space and files that the rule does not import are not in its pin', async ({ fake }) => {
  await faults(fake, true);
  write(fake, {
    'rules/lib/times.ts': `/* another comment */\nexport const times = (a: number, b: 2): number =>\n  a * b;\n`,
    'rules/lib/unused.ts': `export const unused = 2;\n`,
  });
  assert.equal(await faults(fake), none);
});

for (const { name, check } of ownChecks(false)) {
  test(`${name} is as recorded`, async () => {
    assert.equal(await check(), []);
  });
}

test.run();
