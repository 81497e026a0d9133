import './no-ci.ts';

import { render } from 'ink-testing-library';
import { createElement } from 'react';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { uncoloured } from '../../src/report/colour.ts';
import { plainReporter } from '../../src/report/plain.ts';
import { frameLines } from '../../src/report/tui/frame.ts';
import { terminalReporter } from '../../src/report/tui/terminal.ts';
import { FrameView } from '../../src/report/tui/view.ts';
import { failedBuild, goodBuild, HandClock, play, type Timed, viewAfter } from './events.ts';
import { Screen } from './screen.ts';

const test = suite('view for terminals');

const colours = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');
const size = { columns: 100, rows: 24 };
const frameAfter = (count: number, nowMs: number, events = goodBuild): string[] =>
  frameLines(viewAfter(events.slice(0, count)), nowMs, size).map(({ text }) => text);

test('a frame shows targets in order with state, progress, counts and reason, then the steps that run', () => {
  assert.equal(frameAfter(7, 410), [
    'dsbuild  0 of 3 targets  0.41 s',
    'raw     ██████████░░░░░░░░░░  1/2 · 1 running · 650.0 KB · 0.40 s',
    'clean   waiting',
    'tokens  waiting',
    '  raw › check · 600.0 KB · 0.38 s',
  ]);
});

test('a step that tells its progress is shown with it', () => {
  assert.ok(frameAfter(6, 100).includes('  raw › check · 650.0 KB · 25 % · 0.07 s'));
});

test('what ended stays in its place, and the newest warnings stand below', () => {
  assert.equal(frameAfter(12, 1000), [
    'dsbuild  1 of 3 targets  1.00 s',
    'raw     built      never built · 2 steps ran · 1,204 documents, 1.2 MB · 0.43 s',
    'clean   ░░░░░░░░░░░░░░░░░░░░  0/1 · 1 running · 0.55 s',
    'tokens  waiting',
    '  clean › decide · 650.0 KB · 0.54 s',
    'warning  raw › data/a.jsonl:12  6 bad records were left out: not-json  [bad-records]',
  ]);
});

const many = Array.from({ length: 100 }, (_, i) => `t${String(i).padStart(2, '0')}`);
const manyEvents: readonly Timed[] = [
  [0, { type: 'build-started', run: 'r', targets: many, jobs: 2 }],
  [1, { type: 'target-started', target: 't50', rule: 'filter', why: [] }],
];

test('with many targets the frame stays below the height of the screen and shows those that run', () => {
  for (const rows of [5, 10, 24, 60]) {
    const lines = frameLines(viewAfter(manyEvents), 10, { columns: 80, rows }).map(({ text }) => text);
    assert.ok(lines.length < rows, `${lines.length} lines in ${rows} rows`);
    assert.ok(lines.some((line) => line.startsWith('t50  ')));
  }
  const lines = frameLines(viewAfter(manyEvents), 10, { columns: 80, rows: 10 }).map(({ text }) => text);
  assert.is(lines[1], '… 50 targets above');
  assert.is(lines.at(-1), '… 44 targets below');
});

test('Ink draws a line for each line of a frame, and cuts what is too long', () => {
  const lines = [
    { tone: 'head', text: 'dsbuild' },
    { tone: 'running', text: 'x'.repeat(300) },
    { tone: 'warning', text: 'end' },
  ] as const;
  const { lastFrame, unmount } = render(createElement(FrameView, { lines }));
  assert.equal((lastFrame() ?? '').replaceAll(colours, '').split('\n'), ['dsbuild', `${'x'.repeat(99)}…`, 'end']);
  unmount();
});

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
  test(`after ${name} the view is gone, what stood above it is there, and the plain report stays below`, () => {
    const screen = new Screen();
    screen.write('$ ls\na.jsonl\n$ dsbuild\n');
    const clock = new HandClock();
    const reporter = terminalReporter({ stdout: screen as unknown as NodeJS.WriteStream, paint: uncoloured, clock });
    play(events, { emit: reporter.emit, clock });
    clock.moveTo(clock.now() + 1000);
    reporter.close();
    assert.is(screen.text.trimEnd(), `$ ls\na.jsonl\n$ dsbuild\n${plainText(events, new HandClock())}`.trimEnd());
    assert.ok(screen.cursorShown, 'the cursor is back');
    assert.is(clock.waiting, 0, 'nothing is drawn any more');
    assert.is(screen.listenerCount('resize'), 0);
  });
}

test('while a build runs the screen shows the frame', () => {
  const screen = new Screen();
  const clock = new HandClock();
  const reporter = terminalReporter({ stdout: screen as unknown as NodeJS.WriteStream, paint: uncoloured, clock });
  play(goodBuild.slice(0, 6), { emit: reporter.emit, clock });
  clock.moveTo(200);
  assert.match(screen.text, /^dsbuild {2}0 of 3 targets/);
  assert.not.ok(screen.cursorShown);
  reporter.close();
});

test('it is drawn at most ten times a second, however many events come', () => {
  const screen = new Screen();
  const clock = new HandClock();
  const reporter = terminalReporter({ stdout: screen as unknown as NodeJS.WriteStream, paint: uncoloured, clock });
  reporter.emit({ type: 'build-started', run: 'r', targets: ['raw'], jobs: 1 });
  for (let i = 0; i < 5000; i++) {
    clock.moveTo(i / 5);
    reporter.emit({ type: 'step-progress', target: 'raw', id: 1, done: i });
  }
  const drawn = screen.raw.split('of 1 target').length - 1;
  assert.ok(drawn >= 1 && drawn <= 10, `${drawn} times in a second`);
  reporter.close();
});

test('a build that ends before it is drawn leaves only its lines', () => {
  const screen = new Screen();
  const clock = new HandClock();
  const reporter = terminalReporter({ stdout: screen as unknown as NodeJS.WriteStream, paint: uncoloured, clock });
  reporter.emit({ type: 'note', message: 'hello' });
  reporter.close();
  assert.is(screen.raw, 'hello\n');
});

test.run();
