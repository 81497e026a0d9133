import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Log } from '../../src/cache/log.ts';

const test = suite('log');

const root = mkdtempSync(join(tmpdir(), 'dsbuild-log-'));
process.once('exit', () => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(root, String(folders++));

const key = (n: number): string => n.toString(16).padStart(64, '0');
const value = (text: string): Buffer => Buffer.from(text);
const entriesOf = (log: Log): Record<string, string> => Object.fromEntries([...log.entries()].map(([k, v]) => [k, v.toString('utf8')]));
const onlyFile = (dir: string): string => {
  const [name, ...more] = readdirSync(dir);
  assert.equal(more, []);
  return join(dir, name as string);
};

/** Frames of their own, so that each can be damaged apart. */
function written(dir: string, count: number): string {
  const log = new Log(dir, 'test');
  for (let n = 0; n < count; n++) {
    log.put(key(n), value(`value ${n}`));
    log.flush();
  }
  log.seal();
  return onlyFile(dir);
}

const expected = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [key(n), `value ${n}`]));

/** All that a reader finds must be what was written. */
function assertNeverWrong(found: Record<string, string>, all: Record<string, string>): void {
  for (const [name, text] of Object.entries(found)) assert.is(text, all[name]);
}

test('what was put is there at once, and in another process after a flush', () => {
  const dir = newFolder();
  const log = new Log(dir, 'test');
  log.put(key(1), value('one'));
  log.put(key(1), value('other'));
  log.put(key(2), value(''));
  assert.equal([log.get(key(1))?.toString(), log.get(key(2))?.length, log.get(key(3)), log.size], ['other', 0, undefined, 2]);
  assert.is(new Log(dir, 'test').size, 0);
  log.flush();
  assert.equal(entriesOf(new Log(dir, 'test')), entriesOf(log));
});

test('what was put is on the disk after the turn of the event loop', async () => {
  const dir = newFolder();
  const log = new Log(dir, 'test');
  log.put(key(1), value('one'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(entriesOf(new Log(dir, 'test')), { [key(1)]: 'one' });
});

test('a file that is cut off at any byte loses its last frames and gives no wrong value', () => {
  const path = written(newFolder(), 6);
  const bytes = readFileSync(path);
  const frameBytes = bytes.length / 6;
  for (let length = 0; length <= bytes.length; length++) {
    const dir = newFolder();
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'test-x.open'), bytes.subarray(0, length));
    assert.equal(entriesOf(new Log(dir, 'test')), expected(Math.floor(length / frameBytes)));
  }
});

test('a flipped bit anywhere loses what lies behind it and gives no wrong value', () => {
  const path = written(newFolder(), 4);
  const bytes = readFileSync(path);
  const all = expected(4);
  const dir = newFolder();
  mkdirSync(dir, { recursive: true });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    writeFileSync(join(dir, 'test-x.log'), damaged);
    const found = entriesOf(new Log(dir, 'test'));
    assertNeverWrong(found, all);
    const intactFrames = Math.floor((bit >> 3) / (bytes.length / 4));
    assert.is(Object.keys(found).length, intactFrames);
  }
});

test('bytes of nothing behind the frames, as a crash of the system leaves them, are no values', () => {
  const path = written(newFolder(), 3);
  appendFileSync(path, Buffer.alloc(5000));
  assert.equal(entriesOf(new Log(join(path, '..'), 'test')), expected(3));
});

test('several writers share a folder; each sees what the others wrote when it looks again', () => {
  const dir = newFolder();
  const [a, b] = [new Log(dir, 'test'), new Log(dir, 'test')];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 1e6 }), fc.string()), { maxLength: 10 }), (puts) => {
      for (const [toA, n, text] of puts) (toA ? a : b).put(key(n), value(`${n} ${text}`));
      a.flush();
      b.flush();
      a.refresh();
      b.refresh();
      for (const [, n] of puts) for (const log of [a, b]) assert.ok(log.get(key(n))?.toString().startsWith(`${n} `));
    }),
    { numRuns: 30 },
  );
  assert.equal(Object.keys(entriesOf(a)).sort(), Object.keys(entriesOf(b)).sort());
});

test('a frame that another process is still writing is read when it is whole', () => {
  const source = readFileSync(written(newFolder(), 2));
  const dir = newFolder();
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'test-x.open');
  writeFileSync(path, source.subarray(0, 10));
  const log = new Log(dir, 'test');
  assert.is(log.size, 0);
  for (let at = 10; at < source.length; at += 10) {
    appendFileSync(path, source.subarray(at, at + 10));
    log.refresh();
  }
  assert.equal(entriesOf(log), expected(2));
});

test('what a process went on writing before it ended is read under the new name', () => {
  const dir = newFolder();
  const writer = new Log(dir, 'test');
  writer.put(key(0), value('value 0'));
  writer.flush();
  const reader = new Log(dir, 'test');
  writer.put(key(1), value('value 1'));
  writer.seal();
  assert.match(onlyFile(dir), /\.log$/);
  reader.refresh();
  assert.equal(entriesOf(reader), expected(2));
  writer.put(key(2), value('value 2'));
  writer.seal();
  assert.is(readdirSync(dir).length, 2);
  reader.refresh();
  assert.equal(entriesOf(reader), expected(3));
});

test('sealing what was never written makes no file', () => {
  const dir = newFolder();
  new Log(dir, 'test').seal();
  assert.throws(() => readdirSync(dir), /ENOENT/);
});

test('kinds share a folder without seeing each other', () => {
  const dir = newFolder();
  const [steps, targets] = [new Log(dir, 'steps'), new Log(dir, 'targets')];
  steps.put(key(1), value('step'));
  targets.put(key(1), value('target'));
  steps.seal();
  targets.seal();
  assert.is(new Log(dir, 'steps').get(key(1))?.toString(), 'step');
  assert.is(new Log(dir, 'targets').get(key(1))?.toString(), 'target');
});

test('values larger than a frame, and many small ones, come back', () => {
  const dir = newFolder();
  const log = new Log(dir, 'test');
  const large = Buffer.alloc(300_000, 7);
  log.put(key(9999), large);
  for (let n = 0; n < 3000; n++) log.put(key(n), value(`value ${n}`));
  log.seal();
  const read = new Log(dir, 'test');
  assert.ok(read.get(key(9999))?.equals(large));
  assert.is(read.size, 3001);
  assert.is(read.get(key(2999))?.toString(), 'value 2999');
});

test('many files become one with the same values, but for those that were taken back', () => {
  const dir = newFolder();
  for (let n = 0; n < 40; n++) {
    const log = new Log(dir, 'test');
    log.put(key(n), value(`value ${n}`));
    if (n === 39) log.put(key(5), value(''));
    log.seal();
  }
  const live = new Log(dir, 'test');
  live.put(key(100), value('live'));
  live.flush();
  new Log(dir, 'test').compact();
  assert.is(readdirSync(dir).length, 2);
  const { [key(5)]: _, ...kept } = expected(40);
  assert.equal(entriesOf(new Log(dir, 'test')), { ...kept, [key(100)]: 'live' });
});

test('a file that can not be written to fails the next put, loses nothing, and is not written behind', async () => {
  const dir = newFolder();
  const log = new Log(dir, 'test');
  log.put(key(0), value('value 0'));
  log.flush();
  // A file where the folder was: opening another log file fails, as on a disk that is full.
  log.seal();
  const aside = `${dir}-aside`;
  renameSync(dir, aside);
  writeFileSync(dir, '');
  log.put(key(1), value('value 1'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => log.put(key(2), value('value 2')), /EEXIST|ENOTDIR/);
  assert.is(log.get(key(2))?.toString(), 'value 2');
  rmSync(dir);
  renameSync(aside, dir);
  log.put(key(3), value('value 3'));
  log.seal();
  assert.equal(entriesOf(new Log(dir, 'test')), expected(4));
});

test.run();
