import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { coloured, uncoloured } from '../../src/report/colour.ts';
import { plainReporter } from '../../src/report/plain.ts';
import type { Key } from '../../src/report/tui/keys.ts';
import type { Layout } from '../../src/report/tui/screen.ts';
import { openLayout } from '../../src/report/tui/screen.ts';
import { type Steering, terminalReporter } from '../../src/report/tui/terminal.ts';
import { failedBuild, goodBuild, HandClock, play, type Timed } from './events.ts';
import { HandKeys } from './hand-keys.ts';
import { Screen } from './screen.ts';

const test = suite('view in a terminal');

/** Rows as they come. */
const plainLayout: Layout = { rows: (lines) => lines, close: () => {} };

interface Sitting {
  readonly screen: Screen;
  readonly clock: HandClock;
  readonly keys: HandKeys;
  readonly asked: string[];
  readonly reporter: ReturnType<typeof terminalReporter>;
}

async function sit({ watch = false, rows = 24, layout = plainLayout } = {}): Promise<Sitting> {
  const screen = new Screen(100, rows);
  const clock = new HandClock();
  const keys = new HandKeys();
  const asked: string[] = [];
  let looks = 0;
  let isPaused = false;
  const steering: Steering = {
    interrupt: () => asked.push('interrupt'),
    quit: () => asked.push('quit'),
    rebuild: () => asked.push('rebuild'),
    pausing: {
      get isPaused() {
        return isPaused;
      },
      toggle: () => {
        isPaused = !isPaused;
      },
    },
    look: async (target) => ({
      out: `look ${++looks}`,
      target,
      rule: 'filter',
      where: 'datasets.config.ts:3',
      options: [{ name: 'charsMin', value: '80' }],
      parts: [{ name: 'code/a  abcdef', bytes: 1200, records: 7, tokens: 0 }],
      partCount: 1,
      rows: ['{"text":"hello"}'],
    }),
  };
  const reporter = terminalReporter({
    stdout: screen as unknown as NodeJS.WriteStream,
    stdin: keys,
    paint: uncoloured,
    clock,
    watch,
    steering,
    loadLayout: async () => layout,
  });
  return { screen, clock, keys, asked, reporter };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Plays a build until it is seen. */
async function seen(sitting: Sitting, events: readonly Timed[]): Promise<void> {
  play(events, { emit: sitting.reporter.emit, clock: sitting.clock });
  sitting.clock.moveTo(sitting.clock.now() + 600);
  await settled();
  sitting.clock.moveTo(sitting.clock.now() + 200);
}

async function pressed(sitting: Sitting, text: string): Promise<void> {
  sitting.keys.press(text);
  await settled();
  sitting.clock.moveTo(sitting.clock.now() + 200);
}

function plainText(events: readonly Timed[], clock: HandClock): string {
  let text = '';
  const silent = { now: clock.now, every: () => () => {} };
  const reporter = plainReporter({ write: (more) => (text += more) }, { clock: silent });
  play(events, { emit: reporter.emit, clock });
  return text;
}

for (const [name, events] of [
  ['a good build', goodBuild],
  ['a failed build', failedBuild],
  ['a build that was broken off', goodBuild.slice(0, 12)],
] as const) {
  test(`after ${name} the view is gone, and the lines of the plain report stay below what stood there before`, async () => {
    const sitting = await sit();
    const { screen, clock, reporter, keys } = sitting;
    screen.write('$ ls\na.jsonl\n$ dsbuild\n');
    await seen(sitting, events.slice(0, 8));
    play(
      events.slice(8).map(([atMs, event]): Timed => [Math.max(atMs, clock.now()), event]),
      { emit: reporter.emit, clock },
    );
    clock.moveTo(clock.now() + 1000);
    reporter.close();
    const expected = plainText(events, new HandClock());
    const withoutTimes = (text: string): string => text.replace(/[\d.]+ s\b/g, 'N s').trimEnd();
    assert.is(withoutTimes(screen.text), withoutTimes(`$ ls\na.jsonl\n$ dsbuild\n${expected}`));
    assert.ok(screen.cursorShown, 'the cursor is back');
    assert.not.ok(keys.isRaw, 'the terminal edits lines again');
    assert.is(keys.listenerCount('data'), 0);
    assert.is(clock.waiting, 0, 'nothing is drawn any more');
    assert.is(screen.listenerCount('resize'), 0);
  });
}

test('while a build runs the screen shows the frame below what was said', async () => {
  const sitting = await sit();
  await seen(sitting, goodBuild.slice(0, 10));
  assert.match(sitting.screen.text, /^warning {2}raw › data\/a\.jsonl:12.*\nraw +built.*\ndsbuild {2}1 of 3 targets/);
  assert.not.ok(sitting.screen.cursorShown);
  assert.ok(sitting.keys.isRaw);
  sitting.reporter.close();
});

test('it is drawn at most five times a second, however many events come', async () => {
  const sitting = await sit();
  const { screen, clock, reporter } = sitting;
  await seen(sitting, [[0, { type: 'build-started', run: 'r', targets: ['raw'], jobs: 1 }]]);
  const before = screen.raw.split('\u001b[?2026h').length;
  const from = clock.now();
  for (let i = 0; i < 5000; i++) {
    clock.moveTo(from + i / 5);
    reporter.emit({ type: 'step-finished', target: 'raw', step: 's', id: i, how: 'ran', counters: {}, bytesOut: 1, tookMs: 1 });
  }
  const drawn = screen.raw.split('\u001b[?2026h').length - before;
  assert.ok(drawn >= 4 && drawn <= 5, `${drawn} times in a second`);
  reporter.close();
});

test('a build that is over at once leaves only its lines', async () => {
  const { screen, reporter } = await sit();
  reporter.emit({ type: 'note', message: 'hello' });
  reporter.close();
  assert.is(screen.raw, 'hello\n');
});

test('what others write to the terminal stands above the frame, and stays', async () => {
  const sitting = await sit();
  await seen(sitting, goodBuild.slice(0, 6));
  sitting.screen.write('a filter says hello\n');
  sitting.clock.moveTo(sitting.clock.now() + 200);
  assert.match(sitting.screen.text, /^a filter says hello\ndsbuild /);
  sitting.screen.write('and ends without a line end');
  sitting.reporter.close();
  assert.is(sitting.screen.text.trimEnd(), 'a filter says hello\nand ends without a line end');
});

test('a mistake in the view ends the view, not the report', async () => {
  let frames = 0;
  const rows = (lines: readonly string[]): readonly string[] => {
    if (++frames > 2) throw new Error('a mistake');
    return lines;
  };
  const sitting = await sit({ layout: { rows, close: () => {} } });
  await seen(sitting, goodBuild.slice(0, 10));
  sitting.reporter.emit({ type: 'note', message: 'drawn' });
  sitting.clock.moveTo(sitting.clock.now() + 2000);
  assert.ok(frames > 2);
  assert.ok(sitting.screen.cursorShown && !sitting.keys.isRaw);
  sitting.reporter.emit({ type: 'note', message: 'and after' });
  assert.match(sitting.screen.text, /^warning.*\nraw +built.*\ndrawn\nand after$/m);
  sitting.reporter.close();
});

test('several keys in one write are all taken', async () => {
  const sitting = await sit();
  const many = Array.from({ length: 9 }, (_, i) => `t${i}`);
  await seen(sitting, [[0, { type: 'build-started', run: 'r', targets: many, jobs: 1 }]]);
  assert.match(sitting.screen.text, /^> · t0/m);
  await pressed(sitting, 'jjj');
  assert.match(sitting.screen.text, /^> · t3/m);
  await pressed(sitting, '\u001b[A\u001b[A');
  assert.match(sitting.screen.text, /^> · t1/m);
  sitting.reporter.close();
});

test('enter opens the target: what became of it, its options, parts and first rows', async () => {
  const sitting = await sit();
  await seen(sitting, goodBuild.slice(0, 12));
  await pressed(sitting, '\r');
  assert.match(sitting.screen.text, /▶ clean {2}filter {2}datasets\.config\.ts:3 {2}running/);
  for (const words of ['needs raw', 'option charsMin: 80 -> 90', 'charsMin: 80', 'code/a  abcdef  7 records · 1.2 KB', '{"text":"hello"}'])
    assert.ok(sitting.screen.text.includes(words), words);
  await pressed(sitting, '\u001b');
  assert.match(sitting.screen.text, /^> ▶ └ clean/m);
  sitting.reporter.close();
});

test('an opened target is looked at again when it ends, and what was seen of it stays until then', async () => {
  const sitting = await sit();
  await seen(sitting, goodBuild.slice(0, 12));
  await pressed(sitting, '\r');
  assert.match(sitting.screen.text, /look 1/);
  const finished = goodBuild.find(([, event]) => event.type === 'target-finished' && event.target === 'clean') as Timed;
  sitting.reporter.emit(finished[1]);
  sitting.clock.moveTo(sitting.clock.now() + 200);
  assert.match(sitting.screen.text, /look 1/);
  await settled();
  sitting.clock.moveTo(sitting.clock.now() + 200);
  assert.match(sitting.screen.text, /look 2/);
  sitting.reporter.close();
});

test('q stops a build that runs, and ends the program when none does; r builds again; p pauses', async () => {
  const sitting = await sit({ watch: true });
  await seen(sitting, goodBuild.slice(0, 6));
  await pressed(sitting, 'p');
  assert.match(sitting.screen.text, /^dsbuild {2}paused/m);
  await pressed(sitting, 'p');
  assert.not.match(sitting.screen.text, /paused/);
  await pressed(sitting, 'q');
  assert.match(sitting.screen.text, /^dsbuild {2}stopping/m);
  play(
    goodBuild.slice(6).map(([atMs, event]): Timed => [atMs + 2000, event]),
    { emit: sitting.reporter.emit, clock: sitting.clock },
  );
  await pressed(sitting, 'r');
  await pressed(sitting, 'q');
  await pressed(sitting, '\u0003');
  assert.equal(sitting.asked, ['interrupt', 'rebuild', 'quit', 'interrupt']);
  sitting.reporter.close();
});

test('a narrower terminal leaves no part of the wider frame', async () => {
  const sitting = await sit();
  await seen(sitting, goodBuild.slice(0, 12));
  sitting.screen.resizeTo(60, 10);
  assert.is(sitting.screen.text.split('of 3 targets').length - 1, 1);
  assert.ok(
    sitting.screen.text
      .split('\n')
      .slice(-9)
      .every((line) => line.length < 60),
  );
  sitting.reporter.close();
});

test('keys are read by what the terminal sends, whole or in pieces', async () => {
  const keys = new HandKeys();
  const { keyboardOf } = await import('../../src/report/tui/keyboard.ts');
  const seenKeys: Key[] = [];
  const keyboard = keyboardOf(keys);
  keyboard?.open((more) => seenKeys.push(...more));
  keys.press('\u001b[');
  keys.press('5~\u001bOB\u001b[1;5C\u001b[99~é');
  assert.equal(seenKeys, ['page-up', 'down', 'right', 'character é']);
  keyboard?.close();
  assert.is(keyboardOf(Object.assign(new HandKeys(), { isTTY: false })), undefined, 'a pipe has no keys');
});

test('Ink lays out a row for each line, in its colours, however many there were before', () => {
  const layout = openLayout();
  const red = coloured.red('failed');
  for (const rows of [['dsbuild', red, '', '  x'], ['a', `${red} 中文 ━━ │`, 'b', '', 'y'.repeat(300), 'c'], ['d'], ['', 'e']])
    assert.equal(layout.rows(rows), rows);
  layout.close();
});

test.run();
