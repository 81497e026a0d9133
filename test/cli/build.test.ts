import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildOptions, StatusReport } from '../../src/engine/api.ts';
import { emptyFolder, emptyReport, okSummary, removeFolders, run, stage, words } from './console.ts';

const test = suite('build');
test.after(removeFolders);

const plain: BuildOptions = {
  targets: [],
  offline: false,
  locked: false,
  paranoid: false,
  keepGoing: false,
  force: false,
  overwrite: false,
  publish: true,
  remote: true,
  requireRemote: false,
};

const cases: readonly [line: string, options: Partial<BuildOptions>][] = [
  ['', {}],
  ['build', {}],
  ['tokens shards', { targets: ['tokens', 'shards'] }],
  ['build status', { targets: ['status'] }],
  ['-j 8', { jobs: 8 }],
  ['-j8', { jobs: 8 }],
  ['--jobs=8 tokens', { jobs: 8, targets: ['tokens'] }],
  ['-k', { keepGoing: true }],
  ['--keep-going --force', { keepGoing: true, force: true }],
  ['--only code/*', { only: 'code/*' }],
  ['--tag a --tag b', { tags: ['a', 'b'] }],
  ['--sample 1000', { sample: 1000 }],
  ['--sample 1_000', { sample: 1000 }],
  ['--overwrite', { overwrite: true }],
  ['--locked --offline --paranoid', { locked: true, offline: true, paranoid: true }],
  ['--no-publish', { publish: false }],
  ['--no-remote', { remote: false }],
  ['--require-remote', { requireRemote: true }],
  ['-- --strange', { targets: ['--strange'] }],
];

for (const [line, options] of cases) {
  test(`dsbuild ${line} asks the engine for ${JSON.stringify(options)}`, async () => {
    const asked = stage();
    const { code } = await run(words(line), { engine: asked.engine });
    assert.is(code, 0);
    assert.equal(asked.built, [{ ...plain, ...options }]);
    assert.is(asked.closed, 1);
  });
}

test('in CI the lock is locked and files are read again, unless the line says otherwise', async () => {
  const asked = stage();
  const env = { CI: 'true' };
  await run([], { engine: asked.engine, env });
  await run(words('--no-locked --no-paranoid'), { engine: asked.engine, env });
  await run([], { engine: asked.engine, env: { CI: 'false' } });
  assert.equal(
    asked.built.map(({ locked, paranoid }) => [locked, paranoid]),
    [
      [true, true],
      [false, false],
      [false, false],
    ],
  );
});

test('-C, --config and --set say where the project is and what its params are', async () => {
  const asked = stage();
  const project = emptyFolder();
  mkdirSync(join(project, 'sub'));
  await run(words('-C sub -f other.config.ts --set language=en --set rate=a=b'), { engine: asked.engine, cwd: project });
  const [{ cwd, configFile, params }] = asked.opened as [(typeof asked.opened)[0]];
  assert.equal(
    { cwd, configFile, params },
    { cwd: join(project, 'sub'), configFile: 'other.config.ts', params: { language: 'en', rate: 'a=b' } },
  );
});

const mistakes: readonly [line: string, says: RegExp][] = [
  ['-j 0', /^--jobs must be a whole number, at least 1, but is "0"\n/],
  ['-j many', /^--jobs must be a whole number, at least 1, but is "many"\n/],
  ['--sample 1.5', /^--sample must be a whole number/],
  ['--set language', /^--set takes name=value, but got "language"\n/],
];

for (const [line, says] of mistakes) {
  test(`dsbuild ${line} is an error of usage, and nothing is built`, async () => {
    const asked = stage();
    const { code, stderr } = await run(words(line), { engine: asked.engine });
    assert.is(code, 2);
    assert.match(stderr, says);
    assert.equal(asked.built, []);
  });
}

test('a build with a failed target exits with 1', async () => {
  const { code } = await run([], { engine: stage({ summary: { ...okSummary, ok: false } }).engine });
  assert.is(code, 1);
});

test('without a terminal the report is lines without colours', async () => {
  const { stdout } = await run([], { engine: stage({ during: (emit) => emit({ type: 'note', message: 'hello' }) }).engine });
  assert.is(stdout, 'hello\ndone in 0.02 s: 0 steps ran\n');
});

test('--color paints also without a terminal, NO_COLOR does not hinder it', async () => {
  const { stdout } = await run(['--color'], { engine: stage().engine, env: { NO_COLOR: '1' } });
  assert.match(stdout, '\u001b[32m');
});

test('--json writes every event as a line, the summary last', async () => {
  const { stdout } = await run(['--json'], { engine: stage({ during: (emit) => emit({ type: 'note', message: 'hello' }) }).engine });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  const timing = { criticalPath: [], slowest: [], savedMs: 0 };
  assert.equal(lines, [
    { type: 'note', message: 'hello' },
    { ...okSummary, timing },
  ]);
});

test("every build is written down in the project's runs", async () => {
  const asked = stage({ during: (emit) => emit({ type: 'build-started', run: 'r1', targets: [], jobs: 1 }) });
  let stateDir = '';
  const openProject = async (options: Parameters<NonNullable<typeof asked.engine.openProject>>[0]) => {
    const project = await (asked.engine.openProject as NonNullable<typeof asked.engine.openProject>)(options);
    stateDir = project.stateDir;
    return project;
  };
  await run([], { engine: { ...asked.engine, openProject } });
  assert.equal(readdirSync(join(stateDir, 'runs')), ['r1']);
  assert.equal(JSON.parse(readFileSync(join(stateDir, 'runs/r1/summary.json'), 'utf8')), okSummary);
});

const stale: StatusReport = {
  stale: 1,
  diskFree: 81.4e9,
  targets: [
    {
      target: 'raw',
      rule: 'download',
      where: 'datasets.config.ts:3',
      state: 'fresh',
      why: [],
      steps: { toRun: 0, hit: 0, exact: true },
      documents: 200,
      bytes: 67_152,
      outProblems: [],
      sources: [
        { group: 'code/a', source: 'a.jsonl', state: 'there', files: 1, bytes: 1200 },
        { group: 'code/b', source: 'b.jsonl', state: 'missing' },
      ],
    },
    {
      target: 'shards',
      rule: 'shard',
      where: 'datasets.config.ts:5',
      state: 'stale',
      why: ['option maxSeqLength: 256 -> 300'],
      steps: { toRun: 3, hit: 9, exact: false },
      out: '/project/out/shards',
      outProblems: ['a/shard_0000.parquet is missing'],
      sources: [],
    },
  ],
};

test('status shows each target with its reason, its sources and what is wrong in its folder', async () => {
  const { code, stdout } = await run(['status'], { engine: stage({ report: stale }).engine, cwd: '/project' });
  assert.is(code, 0);
  assert.is(
    stdout,
    `raw     fresh        200 documents, 67.2 KB
    code/a  a.jsonl  there  1 file, 1.2 KB
    code/b  b.jsonl  missing
shards  stale        ~3 steps to run, 9 known · option maxSeqLength: 256 -> 300 · -> out/shards
    a/shard_0000.parquet is missing
1 of 2 targets is not fresh; 81.4 GB free on this disk
`,
  );
});

test('--check exits with 3 if something is stale, else with 0; it builds nothing', async () => {
  for (const line of ['--check', 'build --check', 'status --check']) {
    const asked = stage({ report: stale });
    assert.is((await run(words(line), { engine: asked.engine })).code, 3);
    assert.is((await run(words(line), { engine: stage({ report: emptyReport }).engine })).code, 0);
    assert.equal(asked.built, []);
  }
});

test('-n says what would run, exits with 0 and builds nothing', async () => {
  const asked = stage({ report: stale });
  const { code, stdout } = await run(words('tokens -n --force'), { engine: asked.engine });
  assert.is(code, 0);
  assert.match(stdout, '3 steps to run');
  assert.equal(asked.surveyed, [{ ...plain, targets: ['tokens'], force: true, dryRun: true }]);
  assert.equal(asked.built, []);
});

test('status --json writes the report as one line', async () => {
  const { stdout } = await run(words('status --json'), { engine: stage({ report: stale }).engine });
  assert.equal(JSON.parse(stdout), stale);
});

test('ls and list are status', async () => {
  for (const name of ['ls', 'list']) assert.is((await run([name], { engine: stage().engine })).code, 0);
});

test('a command wins over a target of its name, and says so', async () => {
  const asked = stage({ names: ['status', 'raw'] });
  const { stderr } = await run(['status'], { engine: asked.engine });
  assert.match(
    stderr,
    'warning  "status" is a command and also a target; this is the command  [name-clash]\n  To build the target, write: dsbuild build status\n',
  );
  const quiet = await run(['build', 'status'], { engine: asked.engine });
  assert.is(quiet.stderr, '');
  assert.equal(
    asked.built.map(({ targets }) => targets),
    [['status']],
  );
});

test.run();
