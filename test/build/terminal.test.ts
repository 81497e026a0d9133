// time limit: 180 s
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Gate } from './gate.ts';
import { TestProject, tinyTokenizer } from './project.ts';
import { PtyTerminal } from './pty.ts';

const test = suite('the program in a terminal');

const held = JSON.stringify(['sh', '-c', `${Gate.script()}; cat`]);
const config = `import { command, defineConfig, download, files, index, shard, tokenize } from 'dsbuild';
const raw = download({ sources: { 'custom/a': files('in/a.jsonl'), 'custom/b': files('in/b.jsonl') } });
const held = command(raw, { run: ${held}, per: 'chunk', version: '1' });
const shards = shard(tokenize(held, { tokenizer: ${JSON.stringify(tinyTokenizer)} }), { maxSeqLength: 16, out: 'out' });
export default defineConfig({ targets: { raw, held, shards, manifest: index(shards) } });
`;

const notes = (word: string): string =>
  Array.from({ length: 40 }, (_, i) => `${JSON.stringify({ id: `${word}${i}`, text: `${word} note number ${i}` })}\n`).join('');

/** A project whose `held` waits at a gate. */
function heldProject(): TestProject {
  const project = new TestProject();
  project.write('datasets.config.ts', config);
  project.write('in/a.jsonl', notes('first'));
  project.write('in/b.jsonl', notes('second'));
  return project;
}

interface Sitting {
  readonly project: TestProject;
  readonly gate: Gate;
  readonly start: (args: readonly string[], options?: { shell?: string; env?: Record<string, string> }) => PtyTerminal;
}

async function sitting(use: (sitting: Sitting) => Promise<void>): Promise<void> {
  const project = heldProject();
  const gate = project.gate();
  const started: PtyTerminal[] = [];
  const start: Sitting['start'] = (args, options = {}) => {
    const { env, ...rest } = options;
    const terminal = new PtyTerminal(args, { cwd: project.dir, env: { HOME: project.home, ...env }, ...rest });
    started.push(terminal);
    return terminal;
  };
  try {
    await use({ project, gate, start });
  } finally {
    for (const terminal of started) terminal.end();
    gate.end();
    project.end();
  }
}

const countOf = (text: string, pattern: RegExp): number => [...text.matchAll(new RegExp(pattern, 'gm'))].length;

test('a build is watched, a target selected and opened, targets filtered, the log read, and the summary stays', () =>
  sitting(async ({ gate, start }) => {
    const terminal = start(['build']);
    await terminal.shows(/> ▶ └ held /);
    assert.match(terminal.screen, /✓ raw +built/);
    assert.match(terminal.screen, / 1 held › execute/);
    terminal.keys('jjj');
    await terminal.shows(/> \S .*└ manifest/);
    terminal.keys('kkk\r');
    await terminal.shows(/held {2}command {2}datasets\.config\.ts:3 {2}running[\s\S]*needs raw[\s\S]*run: [\s\S]*first rows/);
    terminal.keys('\u001b');
    await terminal.shows(/> ▶ └ held /);
    terminal.keys('/man\r');
    await terminal.shows(/^\/man /m);
    assert.not.match(terminal.screen, /▶ .*held/);
    terminal.keys('\u001b');
    await terminal.shows(/▶ └ held/);
    terminal.keys('l');
    await terminal.shows(/↑↓ scroll/);
    assert.is(countOf(terminal.screen, /raw +built/), 2, 'above the frame, and in the log');
    terminal.keys('?');
    await terminal.shows(/✗ failed/);
    gate.open();
    assert.is(await terminal.done, 0);
    const { scrollback } = terminal;
    for (const target of ['raw', 'held', 'shards', 'manifest']) assert.is(countOf(scrollback, new RegExp(`^${target} +built`)), 1, target);
    assert.match(scrollback, /\nwaited for raw .* -> held /);
    assert.match(scrollback, /\ndone in .*: \d+ steps ran, 5 targets built$/);
    assert.not.match(scrollback, /q quit|dsbuild {2}/, 'the view is gone');
  }));

test('at 60 columns and 10 rows everything still fits, and no part of the larger frame is left', () =>
  sitting(async ({ gate, start }) => {
    const terminal = start(['build']);
    await terminal.shows(/> ▶ └ held /);
    terminal.resize({ columns: 60, rows: 10 });
    await terminal.until(() => countOf(terminal.screen, /q quit/) === 1 && countOf(terminal.screen, /of 5 targets/) === 1, 'one frame');
    assert.match(terminal.screen, /> ▶ └ held/);
    terminal.resize({ columns: 100, rows: 30 });
    await terminal.shows(/└ manifest/);
    gate.open();
    assert.is(await terminal.done, 0);
  }));

test('p starts nothing new until it is pressed again', () =>
  sitting(async ({ gate, start }) => {
    const terminal = start(['build', '-j1']);
    await terminal.shows(/> ▶ └ held /);
    terminal.keys('p');
    await terminal.shows(/^dsbuild {2}paused/m);
    gate.open();
    await terminal.until(() => !/ held › execute/.test(terminal.screen), 'the steps that ran have ended');
    assert.match(terminal.screen, /^dsbuild {2}paused/m);
    terminal.keys('p');
    assert.is(await terminal.done, 0);
  }));

/** Processes that are below one, by /proc. */
function processesBelow(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      parents.set(Number(name), Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))?.[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child);
    return parent !== undefined && (parent === pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

/** Whether a process still does anything: one that is dead and was not asked for yet does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

const shell = (args: string): string =>
  `stty -a > before; $DSBUILD ${args}; echo "ended with $?"; stty -a > after; read -r line; echo "read $line"`;

for (const [key, name, code] of [
  ['\u0003', 'Ctrl-C', 130],
  ['q', 'q', 130],
] as const) {
  test(`${name} in mid-build leaves the terminal as it was, and nothing that runs`, () =>
    sitting(async ({ project, start }) => {
      const terminal = start([], { shell: shell('build') });
      await terminal.shows(/> ▶ └ held /);
      const below = processesBelow(terminal.pid);
      assert.ok(below.length >= 2, 'the program, and what its step started');
      terminal.keys(key);
      await terminal.shows(new RegExp(`ended with ${code}`));
      assert.match(terminal.scrollback, /\ninterrupted in /);
      assert.ok(terminal.sent.lastIndexOf('\u001b[?25h') > terminal.sent.lastIndexOf('\u001b[?25l'), 'the cursor is shown');
      terminal.keys('hello\r');
      await terminal.shows(/read hello/);
      assert.is(project.read('after'), project.read('before'));
      await terminal.done;
      // A kill takes effect when the system gets round to it; if there was none this never ends.
      while (below.some(isAlive)) await new Promise((resolve) => setImmediate(resolve));
    }));
}

test('Ctrl-Z puts it to sleep with the terminal as it was, and fg brings the view back', () =>
  sitting(async ({ project, gate, start }) => {
    const line =
      'set -m; stty -a > before; $DSBUILD build; stty -a > after; echo asleep; read -r line; fg > /dev/null; echo "ended with $?"';
    const terminal = start([], { shell: line });
    await terminal.shows(/> ▶ └ held /);
    terminal.keys('\u001a');
    await terminal.shows(/^asleep/m);
    assert.is(project.read('after'), project.read('before'));
    assert.not.match(terminal.screen, /q quit/);
    terminal.keys('\r');
    await terminal.shows(/asleep[\s\S]*> ▶ └ held [\s\S]*q quit/);
    gate.open();
    await terminal.shows(/ended with 0/);
  }));

test('a program that is killed by an error gives the terminal back', () =>
  sitting(async ({ project, start }) => {
    const crash = "setInterval(() => { if (fs.existsSync('crash')) throw new Error('crashed by the test'); }, 20).unref();";
    project.write('crash.cjs', `const fs = require('node:fs');\n${crash}\n`);
    const terminal = start([], { shell: shell('build').replace('$DSBUILD', 'NODE_OPTIONS="--require ./crash.cjs" $DSBUILD') });
    await terminal.shows(/> ▶ └ held /);
    project.write('crash', '');
    await terminal.shows(/ended with [1-9]/);
    assert.match(terminal.scrollback, /crashed by the test/);
    assert.ok(terminal.sent.lastIndexOf('\u001b[?25h') > terminal.sent.lastIndexOf('\u001b[?25l'), 'the cursor is shown');
    terminal.keys('hello\r');
    await terminal.shows(/read hello/);
    assert.is(project.read('after'), project.read('before'));
  }));

for (const [name, env] of [
  ['TERM=dumb', { TERM: 'dumb' }],
  ['CI', { CI: 'true' }],
] as const) {
  test(`with ${name} there are lines and no view, and with NO_COLOR a view without colours`, () =>
    sitting(async (lines) => {
      const colours = new RegExp(`${'\u001b'}\\[\\d+m`);
      const plain = lines.start(['build'], { env });
      await plain.shows(/^raw +built/m);
      // By the time that the other build has its view, this one would have had one.
      await sitting(async ({ gate, start }) => {
        const bare = start(['build'], { env: { NO_COLOR: '1' } });
        await bare.shows(/> ▶ └ held /);
        gate.open();
        assert.is(await bare.done, 0);
        assert.not.match(bare.sent, colours);
      });
      lines.gate.open();
      assert.is(await plain.done, 0);
      assert.not.ok(plain.sent.includes('\u001b[?25l') || plain.sent.includes('q quit'));
    }));
}

test.run();
