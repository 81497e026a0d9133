import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { limits } from '../../src/base/limits.ts';
import { takeInventory } from '../../src/cache/inventory.ts';
import { Store } from '../../src/cache/store.ts';
import { removeFolders, temporaryFolder } from './folders.ts';

const test = suite('store size');

const bytesOf = (n: number): Buffer => Buffer.alloc(n % 2 === 0 ? 100 + n : limits.packedBytesMax + n, n);
const sizeFile = (dir: string): string => join(dir, 'store', 'v1', 'size');

test('what builds count is what a walk finds, whatever they put, take in, hand out and remove', () => {
  const step = fc.record({
    does: fc.constantFrom('put', 'adopt', 'moveIn', 'linkIn', 'moveOut', 'remove', 'reopen'),
    n: fc.nat({ max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const dir = temporaryFolder();
      let store = new Store(dir);
      for (const { does, n } of steps) {
        const bytes = bytesOf(n);
        const [digest, path] = [digestHex(bytes), join(dir, `file ${n}`)];
        const isOwn = store.locate(digest)?.[0]?.path === store.path(digest);
        if (does === 'put') store.put(bytes);
        else if (does === 'reopen') {
          store.close();
          store = new Store(dir);
        } else if (does === 'remove' && isOwn) store.remove(digest);
        else if (does === 'moveOut' && isOwn) store.moveOut(digest, `${path} in a folder`);
        else if ((does === 'adopt' || does === 'moveIn' || does === 'linkIn') && !store.locate(digest)) {
          writeFileSync(path, bytes);
          store[does](path, digest);
        }
      }
      assert.is(store.size.read() ?? 0, takeInventory(store).bytes);
      store.close();
      removeFolders();
    }),
    { numRuns: 60 },
  );
});

test('of a store that was there before anybody counted the size is not known until it is measured', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  store.put(bytesOf(1));
  store.close();
  writeFileSync(sizeFile(dir), '');
  const next = new Store(dir);
  next.put(bytesOf(2));
  assert.is(next.size.read(), undefined);
  next.size.measured(takeInventory(next).bytes);
  assert.is(next.size.read(), bytesOf(1).length + bytesOf(2).length);
});

test('who only puts what is there already has changed nothing', () => {
  const dir = temporaryFolder();
  const store = new Store(dir);
  store.put(bytesOf(1));
  store.close();
  const [before, next] = [readFileSync(sizeFile(dir)), new Store(dir)];
  next.put(bytesOf(1));
  next.close();
  assert.is(next.size.hasChanged, false);
  assert.equal(readFileSync(sizeFile(dir)), before);
});

test.run();
