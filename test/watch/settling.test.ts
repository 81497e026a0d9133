import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lookAt } from '../../src/watch/look.ts';
import { type Look, Settling } from '../../src/watch/settling.ts';
import { temporaryFolder } from '../source/files.ts';

const test = suite('settling of changed files');

const times = { quietMs: 100, unterminatedQuietMs: 1000, waitMsMax: 1000 };

/** Files as they look now, and the time at which they changed. */
class Files {
  readonly looks = new Map<string, Look>();
  readonly settling = new Settling((path) => this.looks.get(path), times);

  write(path: string, look: Look, nowMs: number): void {
    this.looks.set(path, look);
    this.settling.note(path, nowMs);
  }

  taken(nowMs: number): readonly string[] | 'later' {
    const taken = this.settling.take(nowMs);
    return 'paths' in taken ? taken.paths : 'later';
  }
}

test('a file whose last line is ended is taken when it was quiet for a moment', () => {
  const files = new Files();
  files.write('a', { size: 10, isTerminated: true }, 0);
  assert.equal(files.settling.take(0), { againInMs: 100 });
  assert.is(files.taken(99), 'later');
  assert.equal(files.taken(100), ['a']);
  assert.ok(files.settling.isEmpty);
});

test('a file that ends in the middle of a line is taken when it was quiet for a second', () => {
  const files = new Files();
  files.write('a', { size: 10, isTerminated: false }, 0);
  assert.is(files.taken(999), 'later');
  assert.equal(files.taken(1000), ['a']);
});

test('a file that grows in the middle of a line is not taken however long that takes, and at once after its line is ended', () => {
  const files = new Files();
  for (let now = 0; now < 60_000; now += 500) {
    files.write('a', { size: now + 1, isTerminated: false }, now);
    assert.is(files.taken(now + 400), 'later');
  }
  files.write('a', { size: 60_000, isTerminated: true }, 60_000);
  assert.equal(files.taken(60_000), ['a']);
});

test('growth is seen even when nobody tells of it', () => {
  const files = new Files();
  files.write('a', { size: 10, isTerminated: false }, 0);
  files.taken(500);
  files.looks.set('a', { size: 20, isTerminated: false });
  assert.is(files.taken(1100), 'later');
  assert.is(files.taken(2000), 'later');
  assert.equal(files.taken(2100), ['a']);
});

test('a file to which whole lines are written without end is taken after a second, between two lines', () => {
  const files = new Files();
  let now = 0;
  for (; now < 950; now += 50) {
    files.write('a', { size: now + 1, isTerminated: true }, now);
    assert.is(files.taken(now), 'later');
  }
  files.write('a', { size: 2000, isTerminated: false }, 1000);
  assert.is(files.taken(1000), 'later');
  files.write('a', { size: 2001, isTerminated: true }, 1010);
  assert.equal(files.taken(1010), ['a']);
});

test('all changed files are taken together, when the last of them has settled', () => {
  const files = new Files();
  files.write('a', { size: 1, isTerminated: true }, 0);
  files.write('b', { size: 1, isTerminated: false }, 50);
  assert.is(files.taken(500), 'later');
  assert.equal(files.taken(1050), ['a', 'b']);
});

test('a file that is gone is taken when nothing took its place for a moment', () => {
  const files = new Files();
  files.settling.note('a', 0);
  assert.is(files.taken(50), 'later');
  assert.equal(files.taken(100), ['a']);
});

test('a named pipe counts as gone, and nobody waits for who writes to it', () => {
  const pipe = join(temporaryFolder(), 'a.jsonl');
  execFileSync('mkfifo', [pipe]);
  assert.is(lookAt(pipe), undefined);
});

test.run();
