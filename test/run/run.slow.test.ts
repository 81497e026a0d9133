import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findTests, slowestFirst } from './find.ts';
import { runFile } from './one.ts';
import type { FileReport } from './protocol.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const runner = fileURLToPath(new URL('../run.ts', import.meta.url));

interface Limits {
  limitMs?: number;
  graceMs?: number;
  ci?: boolean;
}

async function run(name: string, { limitMs = 600_000, ...limits }: Limits = {}): Promise<FileReport> {
  const report = await runFile(fixture(`${name}.test.ts`), { name, limitMs, graceMs: 60_000, ci: false, ...limits });
  // A busy machine had not even loaded it within the limit: that shows nothing.
  return report.faults.some((fault) => /not finished .*in: loading/.test(fault)) ? run(name, { limitMs: 2 * limitMs, ...limits }) : report;
}

/** What uvu's own runner lets pass, and what the report must say of it. */
const holes: readonly { file: string; is: string; passed: number; failed: number; says: RegExp; limits?: Limits }[] = [
  { file: 'before-throws', is: 'a `before` that throws', passed: 0, failed: 2, says: /hook `before` failed: Error: no database/ },
  { file: 'after-throws', is: 'an `after` that throws', passed: 1, failed: 1, says: /hook `after` failed: Error: can not clean up/ },
  {
    file: 'after-each-throws',
    is: 'an `after.each` that throws',
    passed: 2,
    failed: 2,
    says: /hook `after\.each` failed: Error: left a file open/,
  },
  { file: 'before-each-throws', is: 'a `before.each` that throws', passed: 0, failed: 1, says: /no folder/ },
  { file: 'no-tests', is: 'a file without tests', passed: 0, failed: 1, says: /has no tests/ },
  { file: 'empty-suite', is: 'a suite without tests', passed: 0, failed: 1, says: /has no tests/ },
  { file: 'no-run', is: 'a missing `.run()`', passed: 1, failed: 1, says: /1 of its 2 tests never ran/ },
  { file: 'after-run', is: 'a test behind `.run()`', passed: 1, failed: 1, says: /1 of its 2 tests never ran/ },
  { file: 'floating', is: 'a floating rejection', passed: 2, failed: 1, says: /nobody awaited it .*Error: lost/ },
  { file: 'floating-late', is: 'a rejection after the last test', passed: 1, failed: 1, says: /nobody awaited it .*Error: lost later/ },
  {
    file: 'exit-zero',
    is: 'process.exit(0) in a test',
    passed: 0,
    failed: 1,
    says: /ended \(0\) before its tests did, in: exit: ends the process/,
  },
  {
    file: 'exit-loading',
    is: 'process.exit(0) while loading',
    passed: 0,
    failed: 1,
    says: /ended \(0\) before its tests did, in: loading/,
  },
  { file: 'exit-code', is: 'an exit code that a test left behind', passed: 1, failed: 1, says: /ended with 3 although its tests passed/ },
  {
    file: 'never-settles',
    is: 'a test that never settles',
    passed: 0,
    failed: 1,
    says: /before its tests did, in: pending: awaits what never comes/,
  },
  {
    file: 'hangs',
    is: 'a test that hangs',
    passed: 0,
    failed: 1,
    says: /not finished after \d+ s, in: hangs: holds a timer/,
    limits: { limitMs: 2000 },
  },
  {
    file: 'leaves-open',
    is: 'a timer left open',
    passed: 1,
    failed: 1,
    says: /still alive 0\.2 s after its last test/,
    limits: { graceMs: 200 },
  },
  { file: 'throws-outside', is: 'an error outside of any test', passed: 0, failed: 1, says: /outside of any test .*from a timer/ },
  { file: 'throws-loading', is: 'a file that can not be loaded', passed: 0, failed: 1, says: /loading\): Error: can not load/ },
  { file: 'fails', is: 'a failing assertion', passed: 1, failed: 1, says: /FAIL[\s\S]*adds[\s\S]*3 {4}\(Expected\)/ },
];

const test = suite('test runner');

for (const { file, is, passed, failed, says, limits } of holes) {
  test(`${is} fails its file`, async () => {
    const report = await run(`holes/${file}`, limits);
    assert.equal([report.passed, report.failed], [passed, failed]);
    assert.match(`${report.faults.join('\n')}\n${report.failures}`, says);
  });
}

const inCi: readonly { file: string; skipped: number; says: RegExp }[] = [
  { file: 'only', skipped: 1, says: /`\.only` is left in it/ },
  { file: 'uvu-skip', skipped: 1, says: /`\.skip` is left in it/ },
  { file: 'skip', skipped: 1, says: /CI must run everything: no oracle on this machine/ },
];

for (const { file, skipped, says } of inCi) {
  test(`${file} is counted as skipped on a desk and fails in CI`, async () => {
    const desk = await run(`ci/${file}`);
    assert.equal([desk.passed, desk.failed, desk.skipped], [1, 0, skipped]);
    const ci = await run(`ci/${file}`, { ci: true });
    assert.equal([ci.failed, ci.skipped], [1, 0]);
    assert.match(ci.faults.join('\n'), says);
  });
}

test('a good file passes with all its suites', async () => {
  const report = await run('good/two', { ci: true });
  assert.equal([report.passed, report.failed, report.skipped, report.faults], [2, 0, 0, []]);
});

test('what a file leaves running ends with it, and a daemon that holds its output open is not waited for', async () => {
  const report = await run('leftover/grandchild', { ci: true });
  assert.equal([report.passed, report.failed], [1, 0]);
  const [attached, daemon] = (/pids (\d+) (\d+)/.exec(report.output) ?? []).slice(1) as [string, string];
  // Where nobody collects the dead of a container, they stay as zombies.
  const state = (pid: string): string =>
    existsSync(`/proc/${pid}/stat`) ? (readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] as string) : 'gone';
  // A kill takes effect when the system gets round to it; if there was none this never ends.
  while (!['gone', 'Z', 'X'].includes(state(attached))) await new Promise((resolve) => setImmediate(resolve));
  assert.not.ok(['gone', 'Z', 'X'].includes(state(daemon)), state(daemon));
  process.kill(Number(daemon), 'SIGKILL');
});

test('properties draw the same in every run, and others with another SEED', async () => {
  const drawn = async (): Promise<string | undefined> => /drawn (.*)/.exec((await run('draws', { ci: true })).output)?.[1];
  const first = await drawn();
  assert.ok(first && (first.match(/,/g) ?? []).length === 99);
  assert.is(await drawn(), first);
  process.env['SEED'] = '7';
  assert.is.not(await drawn(), first);
  delete process.env['SEED'];
});

test('with CI set a property that fails is told as it is, at its first failure, also one with a seed of its own', async () => {
  const { CI } = process.env;
  const runs = async (): Promise<number> => Number(/failed: true, runs: (\d+)/.exec((await run('shrinks')).output)?.[1]);
  delete process.env['CI'];
  assert.ok((await runs()) > 1);
  process.env['CI'] = 'true';
  assert.is(await runs(), 1);
  if (CI === undefined) delete process.env['CI'];
  else process.env['CI'] = CI;
});

test('a file raises its own time limit in its first lines', async () => {
  const report = await run('limit/patient', { limitMs: 1 });
  assert.equal([report.passed, report.failed], [1, 0]);
});

test('--fast leaves out slow folders and slow files; arguments select by part of a path', async () => {
  const names = async (fast: boolean, ...filters: string[]): Promise<string[]> =>
    (await findTests(fixture('good'), { fast, filters })).map(({ name }) => name);
  assert.equal(await names(false), ['also.slow.test.ts', 'build/slow.test.ts', 'one.test.ts', 'two.test.ts']);
  assert.equal(await names(true), ['one.test.ts', 'two.test.ts']);
  assert.equal(await names(false, 'build/', 'test/two'), ['build/slow.test.ts', 'two.test.ts']);
});

test('fixtures are not taken for tests', async () => {
  const found = await findTests(fileURLToPath(new URL('.', import.meta.url)), { fast: false, filters: [] });
  assert.equal(
    found.map(({ name }) => name),
    ['run.slow.test.ts'],
  );
});

test('the slowest file of the last run starts first, and slow ones never timed before all', () => {
  const files = ['a', 'b', 'build/c', 'new'].map((name) => ({ name, file: name }));
  assert.equal(
    slowestFirst(files, { a: 5, b: 50 }).map(({ name }) => name),
    ['build/c', 'b', 'a', 'new'],
  );
});

function command(...args: string[]): { status: number | null; lines: string[] } {
  const { CI: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', runner, ...args], { env, encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

test('the command ends with the counts alone on the last line, and with 0 only when nothing failed', () => {
  const good = command('--dir', fixture('good'));
  assert.equal([good.status, good.lines.at(-1)], [0, '5 passed, 0 failed, 0 skipped']);
  const bad = command('--dir', fixture('holes'), 'fails', 'no-tests');
  assert.equal([bad.status, bad.lines.at(-1)], [1, '1 passed, 2 failed, 0 skipped']);
});

test('the command fails when no file matches', () => {
  const none = command('--dir', fixture('good'), 'no-such-file');
  assert.equal([none.status, none.lines], [1, ['no test file matches: no-such-file', '0 passed, 1 failed, 0 skipped']]);
});

test.run();
