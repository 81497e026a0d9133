import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { readPart } from '../../src/cache/part-reader.ts';
import { type Location, Store } from '../../src/cache/store.ts';
import { temporaryFolder } from './folders.ts';

const test = suite('store');

const large = (seed: number): Buffer => Buffer.alloc(limits.packedBytesMax + seed, seed + 1);
const small = (text: string): Buffer => Buffer.from(text);
const located = (store: Store, digest: string): Location => {
  const location = store.locate(digest);
  if (!location) throw new Error(`no ${digest}`);
  return location;
};
const readBack = (store: Store, digest: string): Buffer => readPart(digest, located(store, digest));
const isMismatch = (error: unknown): boolean => error instanceof BuildError && error.code === 'part-mismatch';

test('bytes of any length come back by their digest, in this process and in the next', () => {
  const dir = temporaryFolder();
  const kept = new Map<string, Buffer>();
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.nat({ max: 3 }).map(large),
    fc.constant(Buffer.alloc(limits.packedBytesMax - 1)),
  );
  const store = new Store(dir);
  fc.assert(
    fc.property(contents, (given) => {
      const bytes = Buffer.from(given);
      const digest = store.put(bytes);
      kept.set(digest, bytes);
      assert.is(digest, digestHex(bytes));
      assert.ok(readBack(store, digest).equals(bytes));
    }),
    { numRuns: 60 },
  );
  store.close();
  const next = new Store(dir);
  for (const [digest, bytes] of kept) assert.ok(readBack(next, digest).equals(bytes));
});

test('what is not there is not found', () => {
  const store = new Store(temporaryFolder());
  assert.is(store.locate(digestHex('never put')), undefined);
});

test('small blobs share a pack, large ones have a file of their own; equal bytes are kept once', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  for (const text of ['a', 'b', 'a', 'c']) store.put(small(text));
  for (const seed of [0, 1, 0]) store.put(large(seed));
  store.sync();
  assert.is([...store.digests()].length, 2);
  const [a, b] = ['a', 'b'].map((text) => located(store, digestHex(text))[0]);
  assert.is(a?.path, b?.path);
  assert.equal([a?.offset, b?.offset, readFileSync(a?.path ?? '').toString()], [0, 1, 'abc']);
  assert.equal(
    readdirSync(store.dir).filter((name) => name.startsWith('tmp')),
    [],
  );
});

test('a file that was written beside the store is taken by moving it', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  const path = join(dir, 'written');
  writeFileSync(path, large(2));
  const digest = digestHex(large(2));
  store.adopt(path, digest);
  assert.not.ok(existsSync(path));
  assert.is(located(store, digest)[0]?.path, store.path(digest));
  assert.ok(readBack(store, digest).equals(large(2)));
});

test('what was removed is gone, also for the next process, and can be put again', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  const digests = [store.put(small('packed')), store.put(large(1))];
  for (const digest of digests) store.remove(digest);
  for (const digest of digests) assert.is(store.locate(digest), undefined);
  store.close();
  const next = new Store(dir);
  for (const digest of digests) assert.is(next.locate(digest), undefined);
  next.put(small('packed'));
  next.put(large(1));
  for (const digest of digests) assert.ok(next.locate(digest));
  next.remove(digestHex('never put'));
});

test('damage to a pack is found by whoever reads it, and mended by putting the bytes again', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  const [first, second] = [store.put(small('first')), store.put(small('second'))];
  store.close();
  const path = located(store, first)[0]?.path as string;
  const bytes = readFileSync(path);
  bytes[2] = 0;
  writeFileSync(path, bytes);
  const next = new Store(dir);
  assert.throws(() => readBack(next, first), isMismatch);
  assert.is(readBack(next, second).toString(), 'second');
  next.remove(first);
  next.put(small('first'));
  assert.is(readBack(next, first).toString(), 'first');
});

test('a pack that lost its end, or is gone, holds only what is still there', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  const [first, second] = [store.put(small('first')), store.put(small('second'))];
  store.close();
  const path = located(store, first)[0]?.path as string;
  truncateSync(path, 7);
  assert.is(readBack(store, first).toString(), 'first');
  assert.is(store.locate(second), undefined);
  rmSync(path);
  assert.is(store.locate(first), undefined);
  const again = new Store(dir);
  again.put(small('first'));
  assert.is(readBack(again, first).toString(), 'first');
});

test('a file of its own that was shortened is found by whoever reads it', () => {
  const store = new Store(temporaryFolder());
  const digest = store.put(large(1));
  truncateSync(store.path(digest), 100);
  assert.throws(() => readBack(store, digest), isMismatch);
});

test('two processes share a store: each finds what the other put, after looking again', () => {
  const dir = temporaryFolder();
  const [a, b] = [new Store(dir), new Store(dir)];
  const [packed, own] = [a.put(small('from a')), a.put(large(3))];
  a.sync();
  assert.ok(b.locate(own));
  assert.is(b.locate(packed), undefined);
  b.refresh();
  assert.is(readBack(b, packed).toString(), 'from a');
  b.put(small('from a'));
  assert.equal(located(b, packed), located(a, packed));
});

test('a store that is closed has left nothing open, and closing it again changes nothing', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  store.put(small('x'));
  store.close();
  store.close();
  const names = readdirSync(join(dir, 'store', 'v1', 'packs'));
  assert.equal(
    names.filter((name) => name.endsWith('.open')),
    [],
  );
});

test.run();
