import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LiveBuilds } from '../../src/cache/live-builds.ts';
import { temporaryFolder } from './folders.ts';

const test = suite('live builds');

const never = Number.POSITIVE_INFINITY;
const filesIn = (dir: string): string[] => readdirSync(join(dir, 'builds'));

/** Another process that builds, until it is killed. */
async function otherBuild(dir: string, beganMs: number): Promise<() => Promise<unknown>> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('build-child.ts', import.meta.url)), dir, String(beganMs)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  return () => {
    child.kill('SIGKILL');
    return ended;
  };
}

test('nobody builds in a new folder', () => {
  assert.equal(new LiveBuilds(temporaryFolder()).look(), { youngMs: never, crashed: 0 });
});

test('the oldest of those that live counts, until it ends, and two seconds for clocks of file systems', async () => {
  const dir = temporaryFolder();
  const live = new LiveBuilds(dir);
  const leave = live.enter(20_000);
  const kill = await otherBuild(dir, 10_000);
  assert.equal(live.look(), { youngMs: 8000, crashed: 0 });
  await kill();
  assert.equal(live.look(), { youngMs: 18_000, crashed: 1 });
  assert.equal(live.look(), { youngMs: 18_000, crashed: 0 });
  leave();
  leave();
  assert.is(live.look().youngMs, never);
  assert.equal(filesIn(dir), []);
});

test('a build of another machine lives as long as it gives a sign', () => {
  const dir = temporaryFolder();
  const live = new LiveBuilds(dir, { beatMs: 10_000, silentMsMax: 120_000 });
  live.enter(1000)();
  const path = join(dir, 'builds', 'build-1-0-x-0');
  writeFileSync(path, JSON.stringify({ host: 'another', boot: '', pid: 1, started: '', beganMs: 5000 }));
  assert.equal(live.look(), { youngMs: 3000, crashed: 0 });
  const longAgo = new Date(Date.now() - 200_000);
  utimesSync(path, longAgo, longAgo);
  assert.equal(live.look(), { youngMs: never, crashed: 1 });
});

test('what a crash of the system left of an entry is nobody', () => {
  const dir = temporaryFolder();
  const live = new LiveBuilds(dir);
  live.enter(1000)();
  writeFileSync(join(dir, 'builds', 'build-1-0-x-0'), '{"host":');
  assert.equal(live.look(), { youngMs: never, crashed: 1 });
});

test('a folder that can not be written keeps no build from building', () => {
  const dir = join(temporaryFolder(), 'file');
  writeFileSync(dir, '');
  new LiveBuilds(dir).enter(1000)();
});

test.run();
