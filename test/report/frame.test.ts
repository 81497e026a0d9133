import xterm from '@xterm/headless';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent, TargetEstimate } from '../../src/base/events.ts';
import { coloured, uncoloured } from '../../src/report/colour.ts';
import { remainingOf } from '../../src/report/remaining.ts';
import { apply, type BuildView, type TargetView } from '../../src/report/state.ts';
import { firstUi, press, type Ui } from '../../src/report/tui/controls.ts';
import { frameOf } from '../../src/report/tui/frame.ts';
import { readKeys } from '../../src/report/tui/keys.ts';
import { paintLine, textOf } from '../../src/report/tui/line.ts';
import { Painter } from '../../src/report/tui/painter.ts';
import { Rates } from '../../src/report/tui/rates.ts';
import { branchesOf, currentOf, type Scene, type ScreenSize } from '../../src/report/tui/scene.ts';
import { targetRow } from '../../src/report/tui/target-lines.ts';
import { widthOf } from '../../src/report/width.ts';
import { failedBuild, goodBuild, nothing, nothingExpected, summaryOf, type Timed, viewAfter } from './events.ts';
import { Screen } from './screen.ts';

const test = suite('frames');

const status = { isPaused: false, isStopping: false, canRebuild: true, canPause: true, hasKeys: true };
const wide = { columns: 101, rows: 24 };

function sceneOf(view: BuildView, given: Partial<Scene> = {}): Scene {
  return { view, ui: firstUi, log: [], rates: new Rates(), look: undefined, status, nowMs: 1000, ...given };
}

const frameText = (scene: Scene, size: ScreenSize = wide): string[] => frameOf(scene, size).lines.map((line) => textOf(line).trimEnd());

test('targets stand as a tree, each with its mark, state, progress, what is known, and time; then the running steps', () => {
  assert.equal(frameText(sceneOf(viewAfter(goodBuild.slice(0, 7)), { nowMs: 410 })), [
    'dsbuild  0 of 3 targets  0 s',
    '> ▶ raw         ████████████████████  1/2 · 0 s'.replace('████████████████████', '██████████░░░░░░░░░░'),
    '  · └ clean     waiting',
    '  ·   └ tokens  waiting',
    '',
    ' 2 raw › check  600.0 KB · 0 s',
    '↑↓ select  enter open  / filter  l log  p pause  r rebuild  ? help  q quit',
  ]);
});

test('what ended shows what came of it; below stand the funnel of the selected target and the newest warnings', () => {
  const ui: Ui = { ...firstUi, selected: 'raw' };
  assert.equal(frameText(sceneOf(viewAfter(goodBuild.slice(0, 12)), { ui })).slice(1, -1), [
    '> ✓ raw         built      never built · 2 steps ran · 1,204 documents, 1.2 MB · 0.43 s',
    '  ▶ └ clean     ░░░░░░░░░░░░░░░░░░░░  0/1 · 0 s',
    '  ·   └ tokens  waiting',
    '',
    'raw  1,210 documents in, 1,204 kept, 6 quarantined, 1.2 MB',
    '',
    ' 1 clean › decide  650.0 KB · 0 s',
    '',
    '! raw › data/a.jsonl:12  6 bad records were left out: not-json  [bad-records]',
  ]);
});

test('a target that has asked for no step waits while what it needs is in the making, and no clock runs', () => {
  const view = viewAfter(goodBuild.slice(0, 7));
  apply(view, { type: 'target-started', target: 'clean', rule: 'filter', why: [] }, 300);
  assert.is(frameText(sceneOf(view))[2], '  · └ clean     waiting');
  const page = frameText(sceneOf(view, { ui: { ...firstUi, pane: 'target', selected: 'clean' } }));
  assert.is(page[1], '· clean  filter  waiting');
  apply(view, { type: 'steps-planned', target: 'clean', planned: 1, done: 0 }, 400);
  assert.match(frameText(sceneOf(view))[2] as string, /▶ └ clean .* 0\/1/);
});

test('figures that are nothing are left out', () => {
  const view = viewAfter(goodBuild.slice(0, 6));
  const [raw] = view.targets.values();
  const rate = { documents: 0, tokens: 0, bytes: 40_000 };
  const context = { state: 'running', stem: '', isSelected: false, nameWidth: 3, barWidth: 0, rate, nowMs: 1000 } as const;
  assert.not.match(textOf(targetRow(raw as TargetView, context)), 'MB/s');
  apply(view, { type: 'target-finished', target: 'raw', how: 'built', summary: summaryOf({}) }, 900);
  assert.equal(
    frameText(sceneOf(view)).filter((text) => text.includes('kept')),
    [],
  );
});

test('the funnel names what was dropped, the largest first; of a running target it is what its steps said so far', () => {
  const ui: Ui = { ...firstUi, selected: 'clean' };
  const lines = frameText(sceneOf(viewAfter(goodBuild), { ui }));
  assert.ok(lines.includes('clean  1,204 documents in, 1,000 kept, 2.0 KB'));
  assert.ok(lines.includes('  dropped too-short 200, duplicate 4'));
  const counters = { 'dropped:short': 3, 'dropped:long': 40, documents: 5 };
  const step = { target: 'clean', step: 'decide', bytesOut: 1, tookMs: 1, counters, documents: 100 };
  const view = viewAfter([...goodBuild.slice(0, 12), [600, { type: 'step-finished', id: 9, how: 'ran', ...step }]]);
  const running = frameText(sceneOf(view, { ui }));
  assert.ok(running.includes('clean  100 documents in, 57 kept so far'));
  assert.ok(running.includes('  dropped long 40, short 3'));
});

test('a target below several stands below the last of them, so that all that it needs stands above it', () => {
  const targets = ['a', 'b', 'c', 'd', 'e'];
  const needs = { a: [], b: [], c: ['a'], d: ['c', 'b'], e: ['a'] };
  const view = viewAfter([[0, { type: 'build-started', run: 'r', targets, jobs: 1, needs }]]);
  const rows = branchesOf({ view, ui: firstUi }).map(({ stem, target }) => stem + target.name);
  assert.equal(rows, ['a', '├ c', '└ e', 'b', '└ d']);
});

test('in any graph each target is shown once, and after all that it needs', () => {
  const graphs = fc
    .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 30 })
    .map((lists) => Object.fromEntries(lists.map((list, i) => [`t${i}`, i === 0 ? [] : [...new Set(list.map((n) => `t${n % i}`))]])));
  fc.assert(
    fc.property(graphs, (needs) => {
      const targets = Object.keys(needs);
      const view = viewAfter([[0, { type: 'build-started', run: 'r', targets, jobs: 1, needs }]]);
      const names = branchesOf({ view, ui: firstUi }).map(({ target }) => target.name);
      assert.equal([...names].sort(), [...targets].sort());
      for (const [name, before] of Object.entries(needs))
        for (const need of before) assert.ok(names.indexOf(need) < names.indexOf(name), `${need} above ${name}`);
    }),
    { numRuns: 100 },
  );
});

const stepStarted = (target: string, id: number): BuildEvent => ({ type: 'step-started', target, step: 'encode', id, bytesIn: 1e6 });
const stepFinished = (target: string, id: number): BuildEvent => ({
  type: 'step-finished',
  target,
  step: 'encode',
  id,
  how: 'ran',
  counters: {},
  bytesOut: 1,
  documents: 1000,
  tokens: 50_000,
  tookMs: 2000,
});

test('rates are those of the last seconds: documents, tokens and bytes', () => {
  const view = viewAfter([[0, { type: 'build-started', run: 'r', targets: ['tokens'], jobs: 2 }]]);
  const rates = new Rates();
  const at = (nowMs: number, events: readonly BuildEvent[]): BuildView => {
    const next = viewAfter([[0, { type: 'build-started', run: 'r', targets: ['tokens'], jobs: 2 }], ...events.map((e): Timed => [0, e])]);
    rates.sample(next, nowMs);
    return next;
  };
  rates.sample(view, 0);
  at(1000, [stepStarted('tokens', 1)]);
  const now = at(3000, [stepStarted('tokens', 1), stepFinished('tokens', 1), stepStarted('tokens', 2), stepFinished('tokens', 2)]);
  assert.equal(rates.of('tokens'), { documents: 1000, tokens: 50_000, bytes: 1e6 });
  const row = frameText(sceneOf(now, { rates })).find((line) => line.includes('▶ tokens'));
  assert.match(row as string, '2/2 · 1,000 documents/s · 50,000 tokens/s · 1.0 MB/s');
});

const expected = (steps: number, workMs: number): TargetEstimate => ({ ...nothingExpected, steps, workMs });

test('the time that is left comes from the steps of this run, and from what was expected before there are any', () => {
  const needs = { raw: [], tokens: ['raw'] };
  const start: Timed = [0, { type: 'build-started', run: 'r', targets: ['raw', 'tokens'], jobs: 2, needs }];
  const estimated = (targets: Readonly<Record<string, TargetEstimate>>): Timed => [
    1,
    { ...nothingExpected, type: 'estimate', tookMs: 1, targets },
  ];
  const all = estimated({ raw: expected(10, 1000), tokens: expected(20, 20_000) });
  assert.is(remainingOf(viewAfter([start])), undefined);
  assert.equal(remainingOf(viewAfter([start, all])), { ms: (10 * 100 + 20 * 1000) / 2, isAtLeast: false });
  assert.equal(remainingOf(viewAfter([start, estimated({ raw: expected(10, 1000) })])), { ms: 500, isAtLeast: true });
  const four = [1, 2, 3, 4].flatMap((id): Timed[] => [
    [10, stepStarted('tokens', id)],
    [20, stepFinished('tokens', id)],
  ]);
  const waiting = viewAfter([start, all, ...four, [30, { type: 'steps-planned', target: 'tokens', planned: 10, done: 4, hit: 0 }]]);
  assert.equal(remainingOf(waiting), { ms: (10 * 100 + (20 - 4) * 2000) / 2, isAtLeast: false }, 'more steps come as raw goes on');
  const running = viewAfter([
    start,
    all,
    [1, { type: 'target-finished', target: 'raw', how: 'kept', summary: nothing }],
    ...four,
    [30, { type: 'steps-planned', target: 'tokens', planned: 10, done: 4, hit: 0 }],
  ]);
  assert.equal(remainingOf(running), { ms: (6 * 2000) / 2, isAtLeast: false });
  assert.is(remainingOf(viewAfter(goodBuild)), undefined, 'nothing is left');
});

test('steps keep their rows while they run, and a free row is taken by the next', () => {
  const slots = (view: BuildView): number[][] => [...(view.targets.get('t')?.running.values() ?? [])].map(({ id, slot }) => [id, slot]);
  const start: Timed = [0, { type: 'build-started', run: 'r', targets: ['t'], jobs: 2 }];
  const view = viewAfter([start, [1, stepStarted('t', 1)], [2, stepStarted('t', 2)], [3, stepFinished('t', 1)], [4, stepStarted('t', 3)]]);
  assert.equal(slots(view), [
    [2, 1],
    [3, 0],
  ]);
});

test('with many targets the frame shows the selected one, and counts those that are out of sight', () => {
  const targets = Array.from({ length: 100 }, (_, i) => `t${String(i).padStart(2, '0')}`);
  const view = viewAfter([
    [0, { type: 'build-started', run: 'r', targets, jobs: 2 }],
    [1, { type: 'target-started', target: 't50', rule: 'filter', why: [] }],
  ]);
  const lines = frameText(sceneOf(view, { nowMs: 10 }), { columns: 80, rows: 10 });
  assert.is(lines.length, 9);
  assert.is(lines[1], '  … 48 targets above');
  assert.ok(lines.some((line) => line.startsWith('> ▶ t50 ')));
  assert.is(lines.at(-2), '  … 47 targets below');
});

test('where there is little room, targets keep half of it, and what is left out is counted', () => {
  const targets = Array.from({ length: 30 }, (_, i) => `t${i}`);
  const steps = targets.slice(0, 12).map((target, i): Timed => [1, stepStarted(target, i)]);
  const view = viewAfter([[0, { type: 'build-started', run: 'r', targets, jobs: 12 }], ...steps]);
  const lines = frameText(sceneOf(view), { columns: 80, rows: 17 });
  assert.is(lines.length, 16);
  assert.is(lines.filter((line) => /^[> ] [▶·] t/.test(line)).length, 6);
  assert.equal(lines.slice(7, -1), [
    '  … 24 targets below',
    ...[1, 2, 3, 4, 5, 6].map((slot) => ` ${slot} t${slot - 1} › encode  1.0 MB · 0 s`),
    '  … 6 more steps',
  ]);
});

test('a filter leaves the targets that hold it, and says so', () => {
  const ui: Ui = { ...firstUi, filter: 'TOK' };
  const lines = frameText(sceneOf(viewAfter(goodBuild), { ui }));
  assert.ok(lines.some((line) => line.includes('tokens')));
  assert.not.ok(lines.some((line) => /^[> ] . *raw /.test(line)));
  assert.match(lines.at(-1) as string, /^\/TOK /);
  assert.match(frameText(sceneOf(viewAfter(goodBuild), { ui: { ...ui, filter: 'xyz' } }))[1] as string, 'no target holds "xyz"');
});

test('the log shows the newest lines, and older ones when it is scrolled', () => {
  const log = Array.from({ length: 50 }, (_, i) => `line ${i}`);
  const page = (scroll: number): string[] =>
    frameText(sceneOf(viewAfter(goodBuild), { log, ui: { ...firstUi, pane: 'log', scroll } }), { columns: 80, rows: 8 }).slice(1, -1);
  assert.equal(page(0), ['line 45', 'line 46', 'line 47', 'line 48', 'line 49']);
  assert.equal(page(2), ['line 43', 'line 44', 'line 45', 'line 46', 'line 47']);
  assert.equal(page(1000), ['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
});

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom('漢字かな交じり文', '👩‍👩‍👧 e\u0301', 'a\u001b[2Jb\rc\nd'),
);
const scenes = fc.record({ build: fc.constantFrom(goodBuild, failedBuild), count: fc.nat(20), name: texts, message: texts });
const sizes = fc.record({ columns: fc.integer({ min: 1, max: 130 }), rows: fc.integer({ min: 1, max: 50 }) });
const typed = fc.oneof(
  fc.constantFrom(
    'j',
    'k',
    'jjj',
    'G',
    'g',
    '\r',
    '/',
    '?',
    'l',
    'p',
    'r',
    'q',
    ' ',
    '\u001b',
    '\u001b[A',
    '\u001b[6~',
    '\u007f',
    '\u0003',
  ),
  texts,
);

test('whatever is pressed and however large the screen is, a frame is narrower and lower than it, and nothing throws', () => {
  fc.assert(
    fc.property(scenes, sizes, fc.array(typed, { maxLength: 12 }), ({ build, count, name, message }, size, presses) => {
      const view = viewAfter([
        ...build.slice(0, count),
        [20_000, { type: 'step-started', target: name || 'x', step: message, id: 77, bytesIn: 5 }],
        [20_001, { type: 'warning', code: 'w', message, where: name }],
      ]);
      const look = {
        target: name,
        rule: 'filter',
        where: message,
        options: [{ name, value: message }],
        parts: [],
        partCount: 0,
        rows: [message],
      };
      let ui = firstUi;
      const scene = (): Scene => sceneOf(view, { ui, log: [message, name], look, nowMs: 30_000 });
      for (const key of presses.flatMap(readKeys)) {
        const branches = branchesOf(scene());
        const names = branches.map(({ target }) => target.name);
        ui = press(ui, key, { names, current: currentOf(branches, ui), page: 5 }).ui;
        const { lines } = frameOf(scene(), size);
        assert.ok(lines.length <= Math.max(1, size.rows - 1), `${lines.length} rows`);
        for (const line of lines) {
          assert.ok(widthOf(textOf(line)) <= Math.max(1, size.columns - 1), textOf(line));
          assert.not.match(paintLine(line, uncoloured), /\p{Cc}/u);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('nothing is told by colour alone: without colours the text is the same', () => {
  const escapes = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');
  for (const build of [goodBuild, failedBuild]) {
    for (let count = 1; count <= build.length; count++) {
      const { lines } = frameOf(sceneOf(viewAfter(build.slice(0, count))), wide);
      assert.equal(
        lines.map((line) => paintLine(line, coloured).replace(escapes, '').trimEnd()),
        lines.map((line) => paintLine(line, uncoloured)),
      );
    }
  }
});

const frames = fc.array(
  fc.record({
    lines: fc.array(fc.constantFrom('', 'a', 'bb', 'ccc ccc ccc ccc', 'dddd'), { maxLength: 8 }),
    above: fc.constantFrom('', '', 'said\n', 'one\ntwo\n'),
  }),
  { minLength: 1, maxLength: 10 },
);

test('frame after frame, the terminal shows the last one, below all that was said', () => {
  fc.assert(
    fc.property(frames, (all) => {
      const screen = new Screen(80, 60);
      const painter = new Painter();
      screen.write('before\n');
      let said = 'before\n';
      for (const { lines, above } of all) {
        said += above;
        screen.write(painter.draw(lines, { columns: 80, rows: 60, above }));
        assert.is(screen.text.trimEnd(), (said + lines.join('\n')).trimEnd());
      }
      screen.write(painter.erase({ columns: 80, rows: 60 }));
      assert.is(screen.text.trimEnd(), said.trimEnd());
    }),
  );
});

/** Rows that are seen, of a terminal that keeps what is scrolled away and brings it back when it grows. */
async function shownBy(terminal: InstanceType<typeof xterm.Terminal>): Promise<string[]> {
  await new Promise<void>((resolve) => terminal.write('', resolve));
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
}

test('however often a terminal gets fewer rows and more, it shows the frame once, and all that stood above is there', async () => {
  const sizes = fc.array(fc.integer({ min: 3, max: 40 }), { minLength: 1, maxLength: 6 });
  const cases = fc.asyncProperty(fc.nat(60), sizes, async (before, heights) => {
    const terminal = new xterm.Terminal({ cols: 80, rows: 30, scrollback: 500, allowProposedApi: true });
    const painter = new Painter();
    const above = Array.from({ length: before }, (_, i) => `said ${i}`);
    terminal.write(above.map((line) => `${line}\r\n`).join(''));
    for (const [number, rows] of [30, ...heights, 40].entries()) {
      terminal.resize(80, rows);
      const frame = Array.from({ length: rows - 1 }, (_, i) => `frame ${number} line ${i}`);
      terminal.write(painter.draw(frame, { columns: 80, rows }));
      const shown = (await shownBy(terminal)).slice(0, -1);
      assert.equal(shown, frame);
    }
    terminal.write(painter.erase({ columns: 80, rows: 40 }));
    await shownBy(terminal);
    const { active } = terminal.buffer;
    const all = Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true) ?? '');
    assert.equal(
      all.filter((line) => line.startsWith('said')),
      above,
    );
    assert.equal(
      all.filter((line) => line.startsWith('frame')),
      [],
    );
    terminal.dispose();
  });
  await fc.assert(cases, { numRuns: 50 });
});

test('a frame that is the same is not written again, and of one that differs only the lines that do', () => {
  const painter = new Painter();
  painter.draw(['head', 'first', 'second', 'last'], { columns: 80, rows: 24 });
  assert.is(painter.draw(['head', 'first', 'second', 'last'], { columns: 80, rows: 24 }), '');
  const text = painter.draw(['head', 'first', 'changed', 'last'], { columns: 80, rows: 24 });
  assert.match(text, 'changed');
  assert.not.match(text, /head|first|last/);
});

test.run();
