/** The shell scripts of the house, run on small checkouts with a product of ours in the place of dsbuild. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Ran {
  status: number | null;
  out: string;
  lines: string[];
}

const test = suite<{ folder: string }>('scripts');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'dsbuild-scripts-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

function bash(folder: string, script: string, env: Record<string, string> = {}): Ran {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', env: { ...process.env, ...env } });
  return { status, out: stdout + stderr, lines: stdout.trimEnd().split('\n') };
}

const summary = (steps: object): string => `{"type":"note"}\n${JSON.stringify({ type: 'summary', steps, targets: { raw: {} } })}`;

test('a second build that executed a step is refused, and so is output without a summary', ({ folder }) => {
  write(folder, {
    'still.txt': summary({ ran: 0, hit: 9, restored: 0, failed: 0 }),
    'ran.txt': summary({ ran: 1, hit: 8, restored: 0, failed: 0 }),
    'restored.txt': summary({ ran: 0, hit: 8, restored: 1, failed: 0 }),
    'cut.txt': '{"type":"note"}',
  });
  const status = (file: string): number | null => bash(folder, `. ${root}test/published.sh; expect_no_steps < ${file}`).status;
  assert.equal(['still.txt', 'ran.txt', 'restored.txt', 'cut.txt'].map(status), [0, 1, 1, 1]);
});

test('published files are those that are neither inputs nor private state', ({ folder }) => {
  write(folder, {
    'in/a.jsonl': 'a',
    'built/a.jsonl': 'a',
    'built/out/my shard.parquet': 'x',
    'built/.dsbuild/store/1': 'x',
    'built/node_modules/y/z.js': 'x',
  });
  const { lines } = bash(folder, `. ${root}test/published.sh; published_digests built "$PWD/in"`);
  assert.equal(
    lines.map((line) => line.slice(66)),
    ['./out/my shard.parquet'],
  );
});

/** A checkout whose build publishes a shard that holds `bytes`, an expression. */
function checkoutThatWrites(folder: string, bytes: string): void {
  write(folder, {
    '.gitignore': 'node_modules\ndist\nout\n',
    'fixtures/a.jsonl': '{}',
    'dist/src/cli/main.js': `
      import { mkdirSync, writeFileSync } from 'node:fs';
      mkdirSync('out/train', { recursive: true });
      writeFileSync('out/train/shard_0000.parquet', String(${bytes}));
      writeFileSync('out/manifest.json', '{}');`,
    'bin/dsbuild.js': `import '../dist/src/cli/main.js';`,
    'package.json': '{ "type": "module" }',
    'node_modules/x.txt': '',
  });
  for (const name of ['published.sh', 'node-versions.sh']) cpSync(join(root, 'test', name), join(folder, 'test', name));
  spawnSync('git', ['init', '-q'], { cwd: folder });
}

// The Node that runs this test, so that nothing has to be fetched.
const thisNode = { NODE_VERSIONS: process.versions.node.split('.')[0] as string };

test('builds that publish the same bytes in every folder pass', ({ folder }) => {
  checkoutThatWrites(folder, '1');
  const ran = bash(folder, 'bash test/node-versions.sh', thisNode);
  assert.is(ran.status, 0, ran.out);
  assert.is(ran.lines.at(-1), 'node-versions: all bytes equal');
  assert.is(ran.lines.filter((line) => line.includes('2 files')).length, 2);
});

for (const [what, bytes] of [
  ['the folder', 'process.cwd()'],
  ['the number of workers', 'process.argv.at(-1)'],
]) {
  test(`bytes that depend on ${what} are found`, ({ folder }) => {
    checkoutThatWrites(folder, bytes as string);
    const ran = bash(folder, 'bash test/node-versions.sh', thisNode);
    assert.is(ran.status, 1);
    assert.match(ran.out, /2 worker\(s\) published other bytes than .*1 worker\(s\)/);
  });
}

/** A checkout for .ci/run, with an `npm` that answers from a table: the words of its command line -> a line of shell. */
function checkoutForCi(folder: string, answers: Readonly<Record<string, string>>): Ran {
  const all = { ci: 'true', start: 'true', test: 'echo "7 passed, 0 failed, 0 skipped"', ...answers };
  const cases = Object.entries(all).map(([words, line]) => `  "${words}") ${line} ;;`);
  write(folder, {
    'README.md': 'npm ci && npm start\nnpm ci && npm test\n',
    'node_modules/typescript/package.json': '{}',
    'bin/dsbuild.js': `console.log(${JSON.stringify(JSON.stringify({ type: 'summary', steps: { ran: 0, restored: 0, failed: 0 }, targets: { a: {} } }))});`,
    'stub/npm': `#!/usr/bin/env bash\ncase "$*" in\n${cases.join('\n')}\nesac\n`,
    'stub/python3': '#!/bin/sh\n',
    'test/services/install.sh': 'true',
    'test/package.sh': 'true',
    'test/node-versions.sh': 'true',
  });
  for (const name of ['npm', 'python3']) chmodSync(join(folder, 'stub', name), 0o755);
  cpSync(join(root, '.ci/run'), join(folder, '.ci/run'));
  cpSync(join(root, 'test/published.sh'), join(folder, 'test/published.sh'));
  return bash(folder, 'bash .ci/run', { PATH: `${join(folder, 'stub')}:${process.env['PATH']}`, CI: 'true' });
}

test('CI passes when every stage does, and its last line is the count of tests', ({ folder }) => {
  const ran = checkoutForCi(folder, {});
  assert.is(ran.status, 0, ran.out);
  assert.is(ran.lines.at(-1), '7 passed, 0 failed, 0 skipped');
  const stages = ['services', 'start', 'again', 'test', 'lint', 'typecheck', 'coverage', 'package', 'node-versions'];
  assert.equal(
    ran.lines.filter((line) => /^\S+ +ok +\d+ s$/.test(line)).map((line) => line.split(' ')[0]),
    stages,
  );
});

test('CI goes on behind a stage that failed, names it and keeps the count of tests', ({ folder }) => {
  const ran = checkoutForCi(folder, { 'run lint': 'exit 1' });
  assert.is(ran.status, 1);
  assert.match(ran.out, /CI FAILED in: lint /);
  assert.match(ran.out, /^node-versions +ok /m);
  assert.is(ran.lines.at(-1), '7 passed, 0 failed, 0 skipped');
});

test('CI fails with the tests, and when they leave no count', ({ folder }) => {
  const failing = checkoutForCi(folder, { test: 'echo "6 passed, 1 failed, 0 skipped"; exit 1' });
  assert.equal([failing.status, failing.lines.at(-1)], [1, '6 passed, 1 failed, 0 skipped']);
  const silent = checkoutForCi(folder, { test: 'exit 1' });
  assert.equal([silent.status, silent.lines.at(-1)], [1, '0 passed, 1 failed, 0 skipped']);
});

test.run();
