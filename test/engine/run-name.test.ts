import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nameRun } from '../../src/engine/run-name.ts';
import { findRun, runRecord, runsIn } from '../../src/report/recorded.ts';
import { runRecorder } from '../../src/report/recorder.ts';
import { temporaryFolder } from '../cache/folders.ts';

const test = suite('names of runs');

const ms = Date.UTC(2026, 10, 21, 23, 59, 59, 998);
const names = ['2026-11-21T23-59-59-998Z', '2026-11-21T23-59-59-999Z', '2026-11-22T00-00-00-000Z'];

/** Writes down a run as a build does. */
function record(stateDir: string, run: string): void {
  const recorder = runRecorder();
  recorder.writeTo(stateDir);
  recorder.emit({ type: 'build-started', run, targets: [run], jobs: 1 });
  recorder.close();
}

test('runs that begin in the same millisecond have names of their own, which are times in the order of their beginning', () => {
  const stateDir = temporaryFolder();
  const runs = names.map(() => nameRun(stateDir, ms));
  assert.equal(
    runs.map(({ run }) => run),
    names,
  );
  for (const { run } of runs) record(stateDir, run);
  for (const { leave } of runs) leave();
  assert.equal(runsIn(stateDir), [...names].reverse());
  assert.is(findRun(stateDir), names[2]);
  assert.is(findRun(stateDir, '2026-11-21T23:59:59.999'), names[1]);
  assert.is(runRecord(stateDir, names[2] as string).started, '2026-11-22T00:00:00.000Z');
});

test('of a run that nobody wrote down nothing is left', () => {
  const stateDir = temporaryFolder();
  nameRun(stateDir, ms).leave();
  assert.equal(readdirSync(join(stateDir, 'runs')), []);
});

test('where no record can be written a run has the name of its time', () => {
  const stateDir = temporaryFolder();
  writeFileSync(join(stateDir, 'runs'), 'not a folder');
  assert.is(nameRun(stateDir, ms).run, names[0]);
  nameRun(stateDir, ms).leave();
  const closed = temporaryFolder();
  mkdirSync(join(closed, 'runs'));
  chmodSync(join(closed, 'runs'), 0o500);
  assert.is(nameRun(closed, ms).run, names[0]);
});

test.run();
