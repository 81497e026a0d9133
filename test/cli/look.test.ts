import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HeadRow, WhyReport } from '../../src/engine/api.ts';
import { removeFolders, run, stage, words } from './console.ts';

const test = suite('why, head, update, clean, completion');
test.after(removeFolders);

const reports: Readonly<Record<string, WhyReport>> = {
  raw: { target: 'raw', state: 'fresh', changes: [], reasons: ['nothing changed'], outProblems: [] },
  shards: {
    target: 'shards',
    state: 'stale',
    changes: [],
    reasons: ['option maxSeqLength: 256 -> 300', 'a.jsonl:8-9 changed'],
    outProblems: [],
  },
  text: { target: 'text', state: 'fresh', changes: [], reasons: ['nothing changed'], outProblems: ['out/a.jsonl is missing'] },
};

test('why says of each target whether it is fresh, and every reason if not', async () => {
  const { engine } = stage({ names: ['raw', 'shards', 'text'] });
  const why = async (_project: unknown, target: string): Promise<WhyReport> => reports[target] as WhyReport;
  const { code, stdout } = await run(['why'], { engine: { ...engine, why } });
  assert.is(code, 0);
  assert.is(
    stdout,
    `raw is fresh: nothing that goes into it has changed
shards is stale
  option maxSeqLength: 256 -> 300
  a.jsonl:8-9 changed
text is fresh: nothing that goes into it has changed; but it would be published again
  out/a.jsonl is missing
`,
  );
  const one = await run(words('why shards --json'), { engine: { ...engine, why } });
  assert.equal(JSON.parse(one.stdout), reports['shards']);
});

async function* rowsOf(rows: readonly HeadRow[]): AsyncGenerator<HeadRow> {
  yield* rows;
}

const long: HeadRow = { group: 'code/a', row: { text: 'x'.repeat(400), input_ids: Array.from({ length: 20 }, (_, i) => i) } };

test('head asks for the rows, and writes them whole into a pipe', async () => {
  const seen: unknown[] = [];
  const head = (_project: unknown, target: string, options: unknown) => {
    seen.push(target, options);
    return rowsOf([long]);
  };
  const { engine } = stage();
  assert.is((await run(words('head clean -n 3 --rejected'), { engine: { ...engine, head } })).stdout, `${JSON.stringify(long.row)}\n`);
  assert.is((await run(words('head clean --json'), { engine: { ...engine, head } })).stdout, `${JSON.stringify(long)}\n`);
  const use = { remote: true, offline: false };
  assert.equal(seen, [
    'clean',
    { rows: 3, rejected: true, texts: false, ...use },
    'clean',
    { rows: 10, rejected: false, texts: true, ...use },
  ]);
  const random = await run(words('head clean --random --seed 7'), { engine: { ...engine, head } });
  assert.equal([random.code, seen.at(-1)], [0, { rows: 10, rejected: false, texts: false, seed: 7, ...use }]);
  await run(words('head clean --no-remote --offline'), { engine: { ...engine, head } });
  assert.equal(seen.at(-1), { rows: 10, rejected: false, texts: false, remote: false, offline: true });
  const alone = await run(words('head clean --seed 7'), { engine: { ...engine, head } });
  assert.is(alone.code, 2);
  assert.match(alone.stderr, /--seed has no effect without --random/);
});

test('update says what changed in the lock', async () => {
  const { engine } = stage();
  const changed = async () => ({ changed: ['source https://host/a.jsonl'] });
  assert.is(
    (await run(['update'], { engine: { ...engine, update: changed } })).stdout,
    'changed in dsbuild.lock:\n  source https://host/a.jsonl\n',
  );
  const none = async () => ({ changed: [] });
  assert.is((await run(['update'], { engine: { ...engine, update: none } })).stdout, 'dsbuild.lock is up to date\n');
});

test('clean --all without a terminal wants --yes', async () => {
  const asked: unknown[] = [];
  const clean = async (_project: unknown, options: unknown) => {
    asked.push(options);
    return { removed: ['results/v1'], bytes: 1_200_000 };
  };
  const { engine } = stage();
  const refused = await run(words('clean --all'), { engine: { ...engine, clean } });
  assert.equal(
    { code: refused.code, stderr: refused.stderr },
    { code: 2, stderr: 'clean --all removes all results\nAdd --yes to do it.        [usage]\n' },
  );
  assert.is((await run(words('clean --all --yes'), { engine: { ...engine, clean } })).stdout, 'results/v1\n1.2 MB removed\n');
  assert.is((await run(words('clean -n'), { engine: { ...engine, clean } })).stdout, 'results/v1\n1.2 MB would be removed\n');
  assert.equal(asked, [
    { dryRun: false, all: true },
    { dryRun: true, all: false },
  ]);
});

test('completion prints a script for each shell that asks dsbuild for words', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await run(['completion', shell]);
    assert.is(code, 0);
    assert.match(stdout, 'dsbuild completion --words -- ');
  }
  const { code, stderr } = await run(['completion', 'fsh']);
  assert.is(code, 2);
  assert.match(stderr, 'Did you mean "zsh"?');
});

const completions: readonly [typed: readonly string[], offered: readonly string[]][] = [
  [['st'], ['stats', 'status']],
  [
    ['status', '--o'],
    ['--offline', '--only'],
  ],
  [
    ['completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['init', ''], []],
  [['nothing-such'], []],
];

for (const [typed, offered] of completions) {
  test(`completing "${typed.join(' ')}" offers ${offered.join(', ') || 'nothing'}`, async () => {
    const { code, stdout } = await run(['completion', '--words', '--', ...typed], { cwd: '/' });
    assert.is(code, 0);
    assert.equal(
      stdout.split('\n').filter((word) => word !== ''),
      offered,
    );
  });
}

test.run();
