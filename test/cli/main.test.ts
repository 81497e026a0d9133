import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { commandWords, loadCommands } from '../../src/cli/commands.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { skip } from '../skip.ts';
import { emptyFolder, removeFolders, run, Signals, stage, words } from './console.ts';

const test = suite('command line');
test.after(removeFolders);

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
const source = new URL('../../src/cli/', import.meta.url).href;

test('--version says the version of the package', async () => {
  for (const flag of ['--version', '-v', '-V']) assert.equal(await run([flag]), { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('the program that npm installs says it too', () => {
  const bin = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' });
  assert.equal({ status, stdout, stderr }, { status: 0, stdout: `${version}\n`, stderr: '' });
});

/** Runs a line in a process of its own and lists the modules that it loaded. */
function modulesOf(argv: readonly string[]): string[] {
  const hooks = `data:text/javascript,${encodeURIComponent(
    `import { appendFileSync } from 'node:fs';
     export async function resolve(name, context, next) { const found = await next(name, context); appendFileSync(2, 'loaded ' + found.url + '\\n'); return found; }`,
  )}`;
  const program = `import { register } from 'node:module';
    register(${JSON.stringify(hooks)});
    const { main } = await import(${JSON.stringify(`${source}main.ts`)});
    process.exitCode = await main(${JSON.stringify(argv)});`;
  const { stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  assert.is(status, 0, stderr);
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url]) => url as string);
}

test('--version loads neither clipanion nor anything of the engine', () => {
  const loaded = modulesOf(['--version']);
  assert.ok(loaded.some((url) => url.endsWith('/src/cli/main.ts')));
  assert.equal(
    loaded.filter((url) => /node_modules|\/src\/(?!cli\/(main|version|output)\.ts|base\/program\.ts)/.test(url)),
    [],
  );
});

test('--help loads no engine, esbuild, Ink or S3', () => {
  const loaded = modulesOf(['--help']);
  assert.ok(loaded.some((url) => url.includes('/clipanion/')));
  assert.equal(
    loaded.filter((url) =>
      /\/src\/(engine|execute|cache|config|source)\/|node_modules\/(esbuild|ink|react|@aws-sdk|workerpool)\//.test(url),
    ),
    [],
  );
});

test('--help lists every command and the exit codes', async () => {
  const { code, stdout } = await run(['--help']);
  assert.is(code, 0);
  for (const { usage, paths } of await loadCommands()) {
    if (usage) assert.match(stdout, new RegExp(`^  ${paths?.flat()[0]} `, 'm'));
  }
  assert.match(stdout, 'Exit codes: 0 done, 1 a step or gate failed, 2 usage or config, 3 stale (--check), 130 interrupted.');
});

test('every command has help of its own, with examples', async () => {
  const { engine } = stage();
  for (const { usage, paths } of await loadCommands()) {
    if (!usage) continue;
    const path = paths?.find((one) => one.length > 0) ?? [];
    const { code, stdout } = await run([...path, '--help'], { engine: { ...engine, loadFace: async () => ({}) } });
    assert.is(code, 0);
    assert.match(stdout, `Usage: dsbuild ${path.join(' ')}`);
    assert.ok((usage.examples ?? []).length > 0, `${path.join(' ')} has examples`);
    for (const [, line] of usage.examples ?? []) assert.match(stdout, line.replaceAll('$0', 'dsbuild'));
  }
});

test('help is broken between words for the width that COLUMNS says; commands to copy are whole', async () => {
  const { engine } = stage();
  const loaded = { ...engine, loadFace: async () => ({}) };
  for (const { usage, paths } of [...(await loadCommands()), { usage: {}, paths: [[]] }]) {
    if (!usage) continue;
    const argv = [...(paths?.find((one) => one.length > 0) ?? []), '--help'];
    const [wide, narrow] = [await run(argv, { engine: loaded }), await run(argv, { engine: loaded, env: { COLUMNS: '60' } })];
    const wordsOf = (text: string): string[] => words(text.replaceAll(/\s+/g, ' ').replaceAll(':', '')).sort();
    assert.equal(wordsOf(narrow.stdout), wordsOf(wide.stdout));
    const examples = (usage.examples ?? []).map(([, line]) => line.replaceAll('$0', 'dsbuild'));
    for (const line of narrow.stdout.split('\n'))
      assert.ok(line.length <= 60 || /^Usage: |^ {2}(-|\[)/.test(line) || examples.includes(line.trim()), line);
    for (const example of examples) assert.ok(narrow.stdout.includes(example), example);
  }
});

test('an error is broken between words for the width that COLUMNS says', async () => {
  const { code, stderr } = await run(['head'], { env: { COLUMNS: '40' } });
  assert.is(code, 2);
  assert.is(stderr, 'dsbuild head needs <target>\nUsage: dsbuild head <target>; see\ndsbuild head --help.        [usage]\n');
});

test('a command is found by each of its words', async () => {
  const first = (await loadCommands()).flatMap(({ paths = [] }) => paths.flatMap(([word]) => word ?? []));
  assert.equal([...new Set(first)].sort(), [...commandWords].sort());
});

test('help asked anywhere is given, and nothing else is done', async () => {
  const { code, stdout } = await run(words('build tokens -n -h'));
  assert.is(code, 0);
  assert.match(stdout, 'Usage: dsbuild build [targets...] [options]');
});

test('an option that no command has is named with the nearest that it has', async () => {
  const { code, stdout, stderr } = await run(words('status --chek'));
  assert.is(code, 2);
  assert.is(stdout, '');
  assert.is(stderr, 'dsbuild status has no option --chek\nDid you mean --check?        [usage]\n');
});

test('an option of another command is named with its command', async () => {
  const { code, stderr } = await run(words('why --keep-going'));
  assert.is(code, 2);
  assert.is(stderr, 'dsbuild why has no option --keep-going\nIt belongs to dsbuild build, dsbuild watch.        [usage]\n');
});

test('an option without its value is named, with what the value is', async () => {
  for (const line of ['build -j', 'build --jobs --plain']) {
    const { code, stderr } = await run(words(line));
    assert.is(code, 2);
    assert.match(stderr, /^(-j|--jobs) needs a value <n>\n/);
  }
});

test('a switch takes no value', async () => {
  const { code, stderr } = await run(['build', '--plain=yes']);
  assert.is(code, 2);
  assert.match(stderr, '--plain takes no value');
});

test('a command without the target that it needs says so', async () => {
  const { code, stderr } = await run(['head']);
  assert.is(code, 2);
  assert.is(stderr, 'dsbuild head needs <target>\nUsage: dsbuild head <target>; see dsbuild head --help.        [usage]\n');
});

test('a word too many is an error of usage', async () => {
  const { code, stderr } = await run(words('head clean tokens'));
  assert.is(code, 2);
  assert.match(stderr, /tokens[\s\S]*Usage: dsbuild head <target>/);
});

test('a mistyped command, taken for a target, is asked back', async () => {
  const openProject = async (): Promise<never> => {
    throw new BuildError('unknown-target', { message: 'there is no target "statuss".', hint: 'Targets: raw.' });
  };
  const { code, stderr } = await run(['statuss'], { engine: { openProject } });
  assert.is(code, 2);
  assert.is(stderr, 'there is no target "statuss".\nOr did you mean the command "status"? Targets: raw.        [unknown-target]\n');
  const named = await run(['build', 'statuss'], { engine: { openProject } });
  assert.is(named.stderr, 'there is no target "statuss".\nTargets: raw.        [unknown-target]\n');
});

test("a user's mistake is shown with place, hint and code, and without a stack", async () => {
  const openProject = async (): Promise<never> => {
    throw new BuildError('bad-config', { message: 'maxSeqLength must be a whole number', where: 'datasets.config.ts:4', hint: 'Mend it.' });
  };
  const { code, stdout, stderr } = await run(['status'], { engine: { openProject } });
  assert.equal(
    { code, stdout, stderr },
    { code: 2, stdout: '', stderr: 'datasets.config.ts:4  maxSeqLength must be a whole number\nMend it.        [bad-config]\n' },
  );
});

test('what no user can mend is called a bug and shown with its stack', async () => {
  const openProject = async (): Promise<never> => {
    throw new TypeError('x is not a function');
  };
  const { code, stderr } = await run(['status'], { engine: { openProject } });
  assert.is(code, 1);
  assert.match(stderr, /^this is a bug of dsbuild; .*\nTypeError: x is not a function\n {4}at /);
});

test('under --json errors are JSON on stdout', async () => {
  const openProject = async (): Promise<never> => {
    throw new BuildError('no-config', { message: 'there is no config', hint: 'Write one.' });
  };
  const { code, stdout, stderr } = await run(words('status --json'), { engine: { openProject } });
  assert.is(code, 2);
  assert.is(stderr, '');
  assert.equal(JSON.parse(stdout), { type: 'error', code: 'no-config', message: 'there is no config', hint: 'Write one.' });
});

test('errors of the surroundings exit with 1, those of usage and config with 2', () => {
  const codes = [
    'disk-full',
    'lock-would-change',
    'tokenizer-unreachable',
    'no-config',
    'bad-config',
    'usage',
    'unknown-target',
    'interrupted',
  ];
  assert.equal(
    codes.map((code) => exitCodeOf(new BuildError(code, { message: '' }))),
    [1, 1, 1, 2, 2, 2, 2, 130],
  );
  assert.is(exitCodeOf(new Error('x')), 1);
});

test('the first Ctrl-C aborts and waits for the build, the second ends at once; the exit code is 130', async () => {
  const signals = new Signals();
  const seen: boolean[] = [];
  const during = (_emit: unknown, signal: AbortSignal): void => {
    signals.emit('SIGINT');
    seen.push(signal.aborted, signals.exits.length > 0);
    signals.emit('SIGINT');
  };
  const asked = stage({ during });
  const { code, stderr } = await run(['build'], { engine: asked.engine, signals });
  assert.equal(seen, [true, false]);
  assert.equal(signals.exits, [130]);
  assert.is(code, 130);
  assert.match(stderr, 'stopping; once more to stop at once');
  assert.is(asked.closed, 1, 'the project is closed');
});

test('after a command nobody listens to Ctrl-C any more', async () => {
  const signals = new Signals();
  await run(['build'], { engine: stage().engine, signals });
  assert.is(signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM'), 0);
});

test('an error that an interruption led to is not shown', async () => {
  const signals = new Signals();
  const openProject = async (): Promise<never> => {
    signals.emit('SIGINT');
    throw new Error('aborted');
  };
  const { code, stderr } = await run(['status'], { engine: { openProject }, signals });
  assert.is(code, 130);
  assert.is(stderr, 'stopping; once more to stop at once\n');
});

test('a reader that goes away ends the command quietly with 0', async () => {
  let aborted = false;
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) });
  const during = async (emit: (event: { type: 'note'; message: string }) => void, signal: AbortSignal): Promise<void> => {
    emit({ type: 'note', message: 'hello' });
    await new Promise((resolve) => setImmediate(resolve));
    aborted = signal.aborted;
    throw new BuildError('interrupted', { message: 'stopped' });
  };
  const { code, stderr } = await run(['build'], { engine: stage({ during }).engine, stdout });
  assert.equal({ code, stderr, aborted }, { code: 0, stderr: '', aborted: true });
});

test('an output that can not be written for another reason is an error', async () => {
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })) });
  const during = async (emit: (event: { type: 'note'; message: string }) => void): Promise<void> => {
    emit({ type: 'note', message: 'hello' });
    await new Promise((resolve) => setImmediate(resolve));
  };
  const { code, stderr } = await run(['build'], { engine: stage({ during }).engine, stdout });
  assert.equal({ code, stderr }, { code: 1, stderr: 'the output can not be written: no space left\n' });
});

for (const line of ['--version', '--help', 'status', 'status --json', 'build -n']) {
  test(`dsbuild ${line} whose output can not be written exits with 1 and one line`, async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    const { code, stderr } = await run(words(line), { engine: stage().engine, stdout });
    assert.equal({ code, stderr }, { code: 1, stderr: 'the output can not be written: no space left\n' });
  });

  test(`dsbuild ${line} whose reader goes away exits with 0`, async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })) });
    assert.equal(await run(words(line), { engine: stage().engine, stdout }), { code: 0, stdout: '', stderr: '' });
  });
}

test('what a full device does not take is an error of the program that npm installs', () => {
  if (!existsSync('/dev/full')) return skip('there is no /dev/full, which takes nothing');
  const bin = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));
  for (const word of ['--version', '--help']) {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [bin, word], { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    assert.is(status, 1);
    assert.match(stderr, /^the output can not be written: ENOSPC.*\n$/);
  }
});

for (const [what, folder, message] of [
  ['that is not there', 'nosuch', /^there is no folder .*\/nosuch\n/],
  ['that is a file', 'datasets.config.ts', /^.*\/datasets\.config\.ts is a file, not a folder\n/],
] as const) {
  test(`-C with a folder ${what} is an error of usage, whatever lies above it`, async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, 'datasets.config.ts'), '');
    for (const line of ['build', 'status', 'why', 'logs', 'profile', 'init --yes', 'doctor', 'watch', 'cache stats']) {
      const { code, stderr } = await run([...words(line), '-C', folder], { cwd });
      assert.is(code, 2, line);
      assert.match(stderr, message);
      assert.match(stderr, '-C takes a folder that is there');
    }
  });
}

test('a file that is to be written into a folder that is not there is an error of usage, before anything else is done', async () => {
  const cwd = emptyFolder();
  for (const line of ['profile -o no/trace.json', 'cache keygen no/key', 'stats --html=no/page.html raw']) {
    const { code, stderr } = await run(words(line), { cwd, engine: stage({ names: ['raw'] }).engine });
    assert.is(code, 2, line);
    assert.match(stderr, `there is no folder ${join(cwd, 'no')}\nMake it, or give`);
  }
});

test('on GitHub Actions an error of the config or of the line is an annotation, and stands on the page of the job', async () => {
  const cwd = emptyFolder();
  const summaryFile = join(cwd, 'summary.md');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: cwd, GITHUB_STEP_SUMMARY: summaryFile };
  const openProject = async (): Promise<never> => {
    throw new BuildError('bad-config', { message: 'the config threw', where: 'datasets.config.ts:3:7', hint: 'Mend it.' });
  };
  mkdirSync(join(cwd, 'sub'));
  const { code, stderr } = await run(['build', '-C', 'sub'], { cwd, env, engine: { openProject } });
  assert.is(code, 2);
  assert.match(stderr, '\n::error file=sub/datasets.config.ts,line=3,title=bad-config::the config threw%0AMend it.\n');
  assert.is((await run(['build', '--nosuch'], { cwd, env })).code, 2);
  const page = readFileSync(summaryFile, 'utf8');
  assert.match(page, '### dsbuild\n\n**failed**\n\n- **bad-config**: datasets.config.ts:3:7 the config threw\n  Mend it.\n');
  assert.match(page, '- **usage**: dsbuild build has no option --nosuch');
});

test('watch without a config is an error as build without one is, and waits for nothing', async () => {
  const { code, stderr } = await run(['watch', '--plain'], { cwd: emptyFolder() });
  assert.is(code, 2);
  assert.match(stderr, /^there is no datasets\.config\.ts in [\s\S]*\[no-config\]\n$/);
});

test.run();
