import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Digest, digestHex } from '../../src/base/digest.ts';
import { limits } from '../../src/base/limits.ts';
import { takeInventory } from '../../src/cache/inventory.ts';
import { readPart } from '../../src/cache/part-reader.ts';
import { Store } from '../../src/cache/store.ts';
import { type Swept, sweep } from '../../src/cache/sweep.ts';
import { skip } from '../skip.ts';
import { removeFolders, temporaryFolder } from './folders.ts';

const test = suite('sweep');

const small = (n: number, bytes = 1000): Buffer => Buffer.alloc(bytes, `${n}.`);
const large = (n: number): Buffer => Buffer.alloc(limits.packedBytesMax, `${n}!`);
const never = Number.POSITIVE_INFINITY;

const packsOf = (dir: string): string[] => readdirSync(join(dir, 'store', 'v1', 'packs')).filter((name) => name.endsWith('.pack'));
const has = (store: Store, digest: Digest): boolean => {
  const location = store.locate(digest);
  return location !== undefined && digestHex(readPart(digest, location)) === digest;
};

function swept(store: Store, evict: Iterable<Digest>, more: { youngMs?: number; goalBytes?: number } = {}): Swept {
  return sweep(store, { inventory: takeInventory(store), evict: new Set(evict), youngMs: never, goalBytes: never, ...more });
}

/** A store in which each build left a pack of its own. */
function filled(dir: string, builds: readonly (readonly Buffer[])[]): void {
  for (const blobs of builds) {
    const store = new Store(dir);
    for (const bytes of blobs) store.put(bytes);
    store.close();
  }
}

test('what is evicted is gone and all else is there, in this process, in the next, and in one that had it open', () => {
  const blob = (n: number): Buffer => (n % 4 === 0 ? large(n) : small(n));
  const builds = fc.array(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(builds, fc.array(fc.nat({ max: 40 })), fc.boolean(), (contents, evicted, tight) => {
      const dir = temporaryFolder();
      filled(
        dir,
        contents.map((numbers) => numbers.map(blob)),
      );
      const [other, store] = [new Store(dir), new Store(dir)];
      const all = new Set(contents.flat().map((n) => digestHex(blob(n))));
      const evict = new Set(evicted.map((n) => digestHex(blob(n))));
      const { bytes } = swept(store, evict, tight ? { goalBytes: 0 } : {});
      assert.is(takeInventory(store).bytes, bytes);
      store.close();
      for (const one of [store, new Store(dir), other]) {
        for (const digest of all) if (!evict.has(digest)) assert.ok(has(one, digest));
        // In a pack of which little is evicted that little stays.
        for (const digest of evict) if (tight || one.locate(digest)?.[0]?.path === one.path(digest)) assert.not.ok(has(one, digest));
      }
      removeFolders();
    }),
    { numRuns: 12 },
  );
});

test('with as little as can be wanted no pack holds a byte for nobody', () => {
  const dir = temporaryFolder();
  filled(dir, [[small(1), small(2), small(3), small(4), small(5), small(6), small(7), small(8)]]);
  const store = new Store(dir);
  const { bytes } = swept(store, [digestHex(small(3))], { goalBytes: 0 });
  assert.is(bytes, 7000);
  assert.is(takeInventory(store).bytes, 7000);
});

test('a pack of which little is evicted stays as it is, and one of which much is evicted is rewritten', () => {
  const dir = temporaryFolder();
  filled(dir, [[small(1), small(2), small(3), small(4), small(5), small(6), small(7), small(8)]]);
  const store = new Store(dir);
  const [before] = packsOf(dir);
  assert.is(swept(store, [digestHex(small(1))]).bytes, 8000);
  assert.equal(packsOf(dir), [before]);
  assert.is(
    swept(
      store,
      [1, 2, 3].map((n) => digestHex(small(n))),
    ).bytes,
    5000,
  );
  assert.not.equal(packsOf(dir), [before]);
});

test('many small packs become one', () => {
  const dir = temporaryFolder();
  filled(
    dir,
    Array.from({ length: 30 }, (_, i) => [small(i)]),
  );
  assert.is(packsOf(dir).length, 30);
  const store = new Store(dir);
  swept(store, []);
  assert.is(packsOf(dir).length, 1);
  for (let i = 0; i < 30; i++) assert.ok(has(store, digestHex(small(i))));
});

test('the files of the index become few, however many builds there were', () => {
  const dir = temporaryFolder();
  filled(
    dir,
    Array.from({ length: 25 }, (_, i) => [small(i)]),
  );
  const store = new Store(dir);
  swept(store, [digestHex(small(3))]);
  store.close();
  const index = readdirSync(join(dir, 'store', 'v1', 'packs')).filter((name) => name.startsWith('index'));
  assert.ok(index.length <= 4, index.join());
});

test('what was put again since it was looked at stays', () => {
  const dir = temporaryFolder();
  filled(dir, [[large(1), small(1)]]);
  const [store, other] = [new Store(dir), new Store(dir)];
  const old = new Date(Date.now() - 60_000);
  utimesSync(store.path(digestHex(large(1))), old, old);
  utimesSync(join(dir, 'store', 'v1', 'packs', packsOf(dir)[0] as string), old, old);
  const inventory = takeInventory(store);
  for (const bytes of [large(1), small(1)]) other.put(bytes);
  const evict = new Set([large(1), small(1)].map((bytes) => digestHex(bytes)));
  sweep(store, { inventory, evict, youngMs: never, goalBytes: 0 });
  for (const digest of evict) assert.ok(has(other, digest));
  assert.ok(has(new Store(dir), digestHex(large(1))));
});

test('packs that were written to since the oldest living build began are left alone', () => {
  const dir = temporaryFolder();
  filled(dir, [[small(1), small(2)]]);
  const store = new Store(dir);
  swept(store, [digestHex(small(1))], { youngMs: Date.now() - 60_000, goalBytes: 0 });
  assert.ok(has(store, digestHex(small(1))));
});

test('the pack of a process that lives is left alone', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  filled(dir, [[small(1)]]);
  const [name] = packsOf(dir) as [string];
  // The parent of a test lives as long as the test.
  const packs = join(dir, 'store', 'v1', 'packs');
  writeFileSync(join(packs, name.replace(/^blobs-\d+/, `blobs-${process.ppid}`)), readFileSync(join(packs, name)));
  swept(store, [digestHex(small(1))], { goalBytes: 0 });
  assert.equal(packsOf(dir), [name.replace(/^blobs-\d+/, `blobs-${process.ppid}`)]);
});

test('a damaged blob is not carried over: it is missing afterwards', () => {
  const dir = temporaryFolder();
  filled(dir, [[small(1), small(2), small(3)]]);
  const path = join(dir, 'store', 'v1', 'packs', packsOf(dir)[0] as string);
  const bytes = readFileSync(path);
  bytes[1500] = 0;
  writeFileSync(path, bytes);
  const store = new Store(dir);
  swept(store, [digestHex(small(1))], { goalBytes: 0 });
  assert.is(store.locate(digestHex(small(2))), undefined);
  assert.ok(has(store, digestHex(small(3))));
});

test('the rest of a pack that a crash left without an index goes', () => {
  const dir = temporaryFolder();
  filled(dir, [[small(1)]]);
  const lost = join(dir, 'store', 'v1', 'packs', 'blobs-0-0-x-0.pack');
  writeFileSync(lost, Buffer.alloc(5000));
  const store = new Store(dir);
  assert.is(swept(store, []).bytes, 1000);
  assert.not.ok(existsSync(lost));
});

test('a disk without room to rewrite packs leaves every blob that stays where it was', () => {
  const disk = mkdtempSync(join(tmpdir(), 'dsbuild-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  if (mounted.status !== 0) {
    rmSync(disk, { recursive: true });
    return skip('a small tmpfs can not be mounted: run as root');
  }
  try {
    const blobs = Array.from({ length: 2400 }, (_, i) => small(i, 1000 + i));
    filled(disk, [blobs.slice(0, 1200)]);
    const store = new Store(disk);
    writeFileSync(join(disk, 'filler'), Buffer.alloc(1_900_000));
    const digests = blobs.slice(0, 1200).map((bytes) => digestHex(bytes));
    const evict = digests.filter((_, i) => i % 3 === 0);
    const { diskFull } = swept(store, evict, { goalBytes: 0 });
    assert.is(diskFull, true);
    const stay = digests.filter((_, i) => i % 3 !== 0);
    for (const one of [store, new Store(disk)]) for (const digest of stay) assert.ok(has(one, digest));
    rmSync(join(disk, 'filler'));
    const next = new Store(disk);
    assert.is(swept(next, evict, { goalBytes: 0 }).diskFull, false);
    for (const digest of stay) assert.ok(has(next, digest));
    next.close();
  } finally {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true });
  }
});

test.run();
