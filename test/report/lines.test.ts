import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BuildEvent } from '../../src/base/events.ts';
import { coloured } from '../../src/report/colour.ts';
import { jsonReporter } from '../../src/report/json.ts';
import { plainReporter } from '../../src/report/plain.ts';
import { runRecorder } from '../../src/report/recorder.ts';
import { reportToAll } from '../../src/report/reporter.ts';
import { showError } from '../../src/report/show-error.ts';
import { type Timing, timingOf } from '../../src/report/timing.ts';
import { formatDuration, stepWords } from '../../src/report/words.ts';
import { failedBuild, goodBuild, HandClock, nothing, play, type Timed, viewAfter } from './events.ts';

const test = suite('plain lines, JSON lines, records of runs');

const folders: string[] = [];
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-report-'));
  folders.push(folder);
  return folder;
}

function plainText(events: readonly Timed[]): string {
  const clock = new HandClock();
  let text = '';
  const reporter = plainReporter({ write: (more) => (text += more) }, { clock, cwd: '/project' });
  play(events, { emit: reporter.emit, clock });
  reporter.close();
  assert.is(clock.waiting, 0, 'the heartbeat ends with the report');
  return text;
}

test('plain: a line for each target with its reason, progress when it takes long, and a summary with the funnel', () => {
  assert.is(
    plainText(goodBuild),
    `warning  raw › data/a.jsonl:12  6 bad records were left out: not-json  [bad-records]
raw     built      never built · 2 steps ran · 1,204 documents, 1.2 MB · 0.43 s
clean  0 of 1 step · 1 running · 10.6 s
clean   built      option charsMin: 80 -> 90; step version decide: 1 -> 2; input documents changed; and 2 more reasons · 1 step ran, 1 known · 1,000 documents, 2.0 KB · 12.6 s
tokens  fresh      nothing changed · 1,000 documents, 34,120 tokens, 136.5 KB
clean -> out/clean · 2 files · 1.3 MB · 1 removed

target  documents in  dropped  quarantined    out  tokens     bytes
raw            1,210                     6  1,204            1.2 MB
clean          1,204      204               1,000            2.0 KB
tokens         1,000                        1,000  34,120  136.5 KB
clean dropped too-short 200, duplicate 4

read 2 files, 1.3 MB
waited for raw 0.44 s -> clean 12.6 s
slowest steps clean › decide 12.5 s
saved by the cache 3.00 s of steps
1 warning
done in 13.2 s: 3 steps ran, 1 known, 2 targets built, 1 fresh
`,
  );
});

test('plain: a failed target is shown with its error, what needs it with its name', () => {
  assert.is(
    plainText(failedBuild),
    `raw: host answered 503; attempt 1 failed, trying again
raw     failed     never built · 0.05 s
  raw › https://host/a.jsonl  host answered 503
  Try again later.        [fetch-failed]
tokens  not built  needs raw, which failed
failed in 0.08 s: 1 step failed, 0 steps ran, 1 failed, 1 not built
`,
  );
});

test('plain: a step that begins again is told with its place', () => {
  const [at, failed] = failedBuild.find(([, event]) => event.type === 'step-failed' && !event.final) as Timed;
  assert.ok(failed.type === 'step-failed');
  const placed = { ...failed, error: { ...failed.error, where: 'data/a.jsonl:17' } };
  const text = plainText(failedBuild.map((timed): Timed => (timed[1] === failed ? [at, placed] : timed)));
  assert.ok(text.startsWith('raw: data/a.jsonl:17: host answered 503; attempt 1 failed, trying again\n'), text);
});

test('plain: a build that has nothing to do says so in one line, and shows no funnel', () => {
  const [, finished] = goodBuild.at(-3) as Timed;
  const events: Timed[] = [
    [0, { type: 'build-started', run: 'r', targets: ['tokens'], jobs: 1 }],
    [5, finished],
    [9, { type: 'summary', ok: true, run: 'r', steps: { ran: 0, hit: 0, restored: 0, failed: 0 }, tookMs: 90, targets: {}, warnings: 0 }],
  ];
  assert.is(
    plainText(events),
    'tokens  fresh      nothing changed · 1,000 documents, 34,120 tokens, 136.5 KB\nnothing to do: the target is fresh (0.09 s)\n',
  );
});

test('plain: what stops the build as a whole is shown without a target', () => {
  const events: Timed[] = [
    [0, { type: 'target-failed', target: '', error: { code: 'disk-full', message: 'the disk is full', hint: 'Free some.' } }],
  ];
  assert.is(plainText(events), 'the disk is full\nFree some.        [disk-full]\n');
});

test('plain: a build that was stopped by hand is called interrupted, and nothing in it failed', () => {
  const summary = {
    type: 'summary',
    ok: false,
    run: 'r',
    steps: { ran: 5, hit: 0, restored: 0, failed: 0 },
    tookMs: 3200,
    targets: {},
    warnings: 0,
    interrupted: true,
  } as const;
  const because = 'the build was interrupted';
  const events: Timed[] = [
    [0, { type: 'build-started', run: 'r', targets: ['raw', 'tokens'], jobs: 1 }],
    [1, { type: 'target-started', target: 'raw', rule: 'download', why: ['never built'] }],
    [5, { type: 'interrupted' }],
    [6, { type: 'target-stopped', target: 'raw', because }],
    [6, { type: 'target-stopped', target: 'tokens', because }],
    [9, summary],
  ];
  assert.is(plainText(events), 'raw     stopped    the build was interrupted\ninterrupted in 3.20 s: 5 steps ran, 2 stopped\n');
});

test('plain: a watch whose last word is a failure says when all is fresh again, and then says it no more', () => {
  let text = '';
  const clock = new HandClock();
  const reporter = plainReporter({ write: (more) => (text += more) }, { clock, watch: true });
  const [, finished] = goodBuild.at(-3) as Timed;
  const fresh: Timed[] = [
    [0, { type: 'build-started', run: 'r', targets: ['tokens'], jobs: 1 }],
    [5, finished],
    [9, { type: 'summary', ok: true, run: 'r', steps: { ran: 0, hit: 0, restored: 0, failed: 0 }, tookMs: 90, targets: {}, warnings: 0 }],
  ];
  play(failedBuild, { emit: reporter.emit, clock });
  text = '';
  play(fresh, { emit: reporter.emit, clock });
  assert.is(text, 'nothing to do: the target is fresh (0.09 s)\n');
  play(fresh, { emit: reporter.emit, clock });
  assert.is(text, 'nothing to do: the target is fresh (0.09 s)\n');
  reporter.emit({ type: 'target-failed', target: '', error: { code: 'config', message: 'the config can not be read' } });
  reporter.emit({ type: 'watching', files: [], folders: ['/project/data', '/project'] });
  text = '';
  play(fresh, { emit: reporter.emit, clock });
  assert.is(text, 'nothing to do: the target is fresh (0.09 s)\n', 'a config that is mended too');
  reporter.close();
});

test('plain: a heartbeat comes every ten seconds of silence, and only then', () => {
  const clock = new HandClock();
  const lines: string[] = [];
  const reporter = plainReporter({ write: (more) => lines.push(more) }, { clock });
  play(goodBuild.slice(0, 5), { emit: reporter.emit, clock });
  clock.moveTo(9_000);
  assert.equal(lines, []);
  clock.moveTo(35_000);
  assert.equal(lines, [
    'raw  0 of 2 steps · 2 running · 9.99 s\n',
    'raw  0 of 2 steps · 2 running · 20.0 s\n',
    'raw  0 of 2 steps · 2 running · 30.0 s\n',
  ]);
  reporter.close();
});

test('plain: a build that waits for the remote cache says how far it is, and at the end what came of it', () => {
  const clock = new HandClock();
  const lines: string[] = [];
  const reporter = plainReporter({ write: (more) => lines.push(more) }, { clock });
  play(goodBuild.slice(0, 1), { emit: reporter.emit, clock });
  reporter.emit({ type: 'remote-progress', way: 'up', done: 3, total: 20, bytes: 12_000_000 });
  clock.moveTo(11_000);
  assert.equal(lines, ['remote cache: sending 3 of 20, 12.0 MB\n']);
  reporter.emit({ type: 'remote-progress', way: 'up', done: 20, total: 20, bytes: 90_000_000 });
  clock.moveTo(25_000);
  assert.is(lines.length, 1);
  reporter.close();
  const remote = {
    state: 'down',
    requests: 9,
    hits: 5,
    misses: 1,
    bytesIn: 0,
    bytesOut: 7_000,
    failures: 1,
    damaged: 0,
    untrusted: 2,
  } as const;
  const [summary] = goodBuild.slice(-1) as [(typeof goodBuild)[number]];
  const text = plainText([...goodBuild.slice(0, -1), [summary[0], { ...summary[1], remote } as BuildEvent]]);
  assert.match(text, '\nremote cache: does not answer, 5 found, 1 not there, 2 untrusted, 1 failure, 7.0 KB sent\n');
});

test('plain: colours are painted only where they are wanted', () => {
  assert.not.match(plainText(goodBuild), '\u001b');
  let text = '';
  const reporter = plainReporter({ write: (more) => (text += more) }, { clock: new HandClock(), paint: coloured });
  for (const [, event] of goodBuild) reporter.emit(event);
  assert.match(text, '\u001b[32m');
});

test('JSON: every event is a line, and the summary is the last', () => {
  const [summary] = goodBuild.slice(-1).map(([, event]) => event);
  const late = { type: 'note', message: 'after the summary' } as const;
  const lines: string[] = [];
  const clock = new HandClock();
  const reporter = jsonReporter({ write: (line) => lines.push(line) }, clock);
  play(goodBuild, { emit: reporter.emit, clock });
  reporter.emit(late);
  reporter.close();
  assert.ok(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1));
  const others = goodBuild.slice(0, -1).map(([, event]) => event);
  assert.equal(
    lines.map((line) => JSON.parse(line) as unknown),
    [...others, late, { ...summary, timing }],
  );
});

const timing: Timing = {
  criticalPath: [
    { target: 'raw', tookMs: 440 },
    { target: 'clean', tookMs: 12_610 },
  ],
  slowest: [
    { target: 'clean', step: 'decide', tookMs: 12_540 },
    { target: 'raw', step: 'check', tookMs: 390 },
    { target: 'raw', step: 'check', tookMs: 370 },
  ],
  savedMs: 3000,
};

test('where the time went: the chain that the end waited for, the slowest steps, and what the cache saved', () => {
  assert.equal(timingOf(viewAfter(goodBuild)), timing);
  assert.equal(timingOf(viewAfter(failedBuild)), { criticalPath: [], slowest: [], savedMs: 0 });
});

test('the chain that the end waited for goes through the input that ended last', () => {
  const finished = (target: string): BuildEvent => ({ type: 'target-finished', target, how: 'built', summary: nothing });
  const needs = { a: [], b: [], c: ['a', 'b'] };
  const view = viewAfter([
    [100, { type: 'build-started', run: 'r', targets: ['a', 'b', 'c'], jobs: 2, needs }],
    [300, finished('b')],
    [400, finished('a')],
    [900, finished('c')],
  ]);
  assert.equal(timingOf(view).criticalPath, [
    { target: 'a', tookMs: 300 },
    { target: 'c', tookMs: 500 },
  ]);
});

test('JSON: a build that ended without a summary writes none', () => {
  const lines: string[] = [];
  const reporter = jsonReporter({ write: (line) => lines.push(line) });
  reporter.close();
  assert.equal(lines, []);
});

const readRun = (stateDir: string, path: string): string => readFileSync(join(stateDir, 'runs', path), 'utf8');

test('recorder: a run is written down event by event with the time since it began, progress left out, with its summary', () => {
  const stateDir = emptyFolder();
  let now = 400;
  const recorder = runRecorder({ now: () => now });
  recorder.emit({ type: 'note', message: 'before the project was open' });
  recorder.writeTo(stateDir);
  for (const [ms, event] of goodBuild) {
    now = 500 + ms;
    recorder.emit(event);
  }
  recorder.close();
  const events = goodBuild.filter(([, { type }]) => type !== 'step-progress');
  const expected = [
    { type: 'note', message: 'before the project was open', ms: 0 },
    ...events.map(([ms, event]) => ({ ...event, ms: ms - (goodBuild[0]?.[0] ?? 0) })),
  ];
  const lines = readRun(stateDir, 'r1/events.jsonl').trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line) as unknown),
    expected,
  );
  assert.equal(JSON.parse(readRun(stateDir, 'r1/summary.json')), events.at(-1)?.[1]);
});

test('recorder: what happened until a crash is there', () => {
  const stateDir = emptyFolder();
  const recorder = runRecorder();
  recorder.writeTo(stateDir);
  for (const [, event] of goodBuild.slice(0, 10)) recorder.emit(event);
  assert.is(readRun(stateDir, 'r1/events.jsonl').trimEnd().split('\n').length, 9);
});

test('recorder: without a build nothing is written', () => {
  const stateDir = emptyFolder();
  const recorder = runRecorder();
  recorder.writeTo(stateDir);
  recorder.emit({ type: 'note', message: 'x' });
  recorder.close();
  assert.equal(readdirSync(stateDir), []);
});

test('recorder: a folder that can not be written ends the record, not the build', () => {
  const stateDir = join(emptyFolder(), 'file');
  writeFileSync(stateDir, '');
  const recorder = runRecorder();
  recorder.writeTo(stateDir);
  for (const [, event] of goodBuild) recorder.emit(event);
  recorder.close();
  assert.is(readFileSync(stateDir, 'utf8'), '');
});

test('recorder: the newest hundred runs are kept', () => {
  const stateDir = emptyFolder();
  for (let i = 0; i < 103; i++) {
    const recorder = runRecorder();
    recorder.writeTo(stateDir);
    recorder.emit({ type: 'build-started', run: `r${i}`, targets: [], jobs: 1 });
    recorder.close();
  }
  const names = readdirSync(join(stateDir, 'runs'));
  assert.is(names.length, 100);
  assert.ok(names.includes('r102'));
});

test('several reporters are told in order, and closed', () => {
  const said: string[] = [];
  const reporter = (name: string) => ({ emit: () => void said.push(name), close: () => void said.push(`${name} closed`) });
  const all = reportToAll([reporter('a'), reporter('b')]);
  all.emit({ type: 'note', message: '' });
  all.close();
  assert.equal(said, ['a', 'b', 'a closed', 'b closed']);
});

test('an error is shown with place, message, hint and code', () => {
  const full = { code: 'bad-record', message: 'line 8412 is not JSON', where: 'dedup › custom/chat.jsonl:8412', hint: 'Repair the line.' };
  assert.is(showError(full), 'dedup › custom/chat.jsonl:8412  line 8412 is not JSON\nRepair the line.        [bad-record]\n');
  assert.is(showError({ code: 'x', message: 'no' }), 'no\n[x]\n');
});

test('rows that were known are said beside the steps, and only when there were any', () => {
  const steps = { ran: 1, hit: 10, restored: 0 };
  assert.is(stepWords({ ...steps, reused: { rows: 2517, of: 2518 } }), '1 step ran, 10 known, 2,517 of 2,518 rows reused');
  assert.is(stepWords({ ...steps, reused: { rows: 0, of: 2518 } }), '1 step ran, 10 known');
  assert.is(stepWords(steps), '1 step ran, 10 known');
});

test('durations are said in the unit that people think in', () => {
  assert.equal([4, 420, 12_345, 100_000, 3_723_000].map(formatDuration), ['0.00 s', '0.42 s', '12.3 s', '1 min 40 s', '1 h 2 min']);
});

test.run();
