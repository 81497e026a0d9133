import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leftovers } from '../../src/cache/leftovers.ts';
import { temporaryFolder } from './folders.ts';

const test = suite('leftovers');

const dayMs = 24 * 60 * 60 * 1000;
const nowMs = Date.UTC(2026, 10, 21);

/** Files by their age in days. */
function laid(files: Readonly<Record<string, number>>): string {
  const dir = temporaryFolder();
  for (const [name, ageDays] of Object.entries(files)) {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name);
    const time = new Date(nowMs - ageDays * dayMs);
    utimesSync(path, time, time);
    utimesSync(dirname(path), time, time);
  }
  return dir;
}

const foundIn = (dir: string): string[] => [...leftovers(dir, nowMs)].map(({ path, what }) => `${what} ${relative(dir, path)}`).sort();
// No process has a number this high.
const gone = 99_999_999;

test('temporary files of processes that are gone are found when they are a day old', () => {
  const dir = laid({
    [`store/v1/tmp-${gone}-0-x-1`]: 2,
    [`store/v1/tmp-${gone}-0-x-2`]: 0.5,
    [`store/v1/tmp-${process.ppid}-0-x-3`]: 2,
    [`plans/.tmp-${gone}-0-x-4`]: 2,
    [`claims/dead-${gone}-0-x-5`]: 2,
    [`builds/build-${gone}-0-x-6`]: 2,
    [`builds/build-${gone}-0-x-7.new`]: 2,
    'store/v1/size': 90,
    'plans/abc.json': 90,
    'claims/0123456789abcdef0123456789abcdef': 90,
  });
  assert.equal(foundIn(dir), [
    `temporary file builds/build-${gone}-0-x-7.new`,
    `temporary file claims/dead-${gone}-0-x-5`,
    `temporary file plans/.tmp-${gone}-0-x-4`,
    `temporary file store/v1/tmp-${gone}-0-x-1`,
  ]);
});

test('a download that was cut off is found after a week without a byte', () => {
  const dir = laid({ 'fetched/a.rest/bytes': 8, 'fetched/b.rest/state': 8, 'fetched/b.rest/bytes': 6 });
  assert.equal(foundIn(dir), ['partial download fetched/a.rest']);
});

test('a bundle of a module is found when nothing names it and it is a month old', () => {
  const dir = laid({ 'modules/aa.mjs': 40, 'modules/bb.mjs': 40, 'modules/cc.mjs': 20, 'modules/record.json': 40 });
  writeFileSync(join(dir, 'modules/record.json'), '{"text":"bb"}');
  assert.equal(foundIn(dir), ['old bundle modules/aa.mjs']);
});

test('of old runs the newest twenty stay', () => {
  const names = Array.from({ length: 25 }, (_, i) => `runs/2026-01-${String(i + 1).padStart(2, '0')}/summary.json`);
  const dir = laid(Object.fromEntries(names.map((name) => [name, 100])));
  assert.equal(
    foundIn(dir),
    names.slice(0, 5).map((name) => `old run ${dirname(name)}`),
  );
});

test('an empty folder has none', () => {
  assert.equal(foundIn(temporaryFolder()), []);
});

test.run();
