import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { Uses } from '../../src/cache/uses.ts';
import { removeFolders, temporaryFolder } from './folders.ts';

const test = suite('uses');

const key = (n: number): string => digestHex(`key ${n}`);
const fileOf = (dir: string): string => join(dir, 'uses.jsonl');

test('a version was built when it was first used, and used when it was last; the most recently used comes first', () => {
  const dir = temporaryFolder();
  for (const [at, of] of [
    [1000, 1],
    [2000, 2],
    [3000, 1],
  ] as const) {
    const uses = new Uses(dir);
    uses.note('tokens', key(of));
    uses.save(at);
  }
  assert.equal(new Uses(dir).versions(), [
    { target: 'tokens', key: key(1), builtMs: 1000, usedMs: 3000 },
    { target: 'tokens', key: key(2), builtMs: 2000, usedMs: 2000 },
  ]);
});

test('a build notes each version once, and the next build of the same process again', () => {
  const dir = temporaryFolder();
  const uses = new Uses(dir);
  uses.note('raw', key(1));
  uses.save(1000);
  uses.note('raw', key(1));
  uses.save(1000);
  const { size } = statSync(fileOf(dir));
  uses.save(1000);
  assert.is(statSync(fileOf(dir)).size, size);
  uses.note('raw', key(1));
  uses.save(2000);
  assert.is(new Uses(dir).versions()[0]?.usedMs, 2000);
});

test('a torn line, or any other text, hides no whole line', () => {
  const garbage = fc.oneof(fc.string(), fc.json(), fc.constant('{"at":1,"uses":[["a",5]]}'), fc.constant('{"at":1,"uses":[["a"'));
  fc.assert(
    fc.property(fc.array(garbage, { maxLength: 5 }), (texts) => {
      const dir = temporaryFolder();
      const uses = new Uses(dir);
      for (const [i, text] of [...texts, ''].entries()) {
        uses.note('raw', key(i));
        uses.save(1000 + i);
        appendFileSync(fileOf(dir), `\n${text}`);
      }
      const found = new Uses(dir).versions().filter(({ target }) => target === 'raw');
      assert.equal(
        found.map((version) => version.key).sort(),
        texts
          .map((_, i) => key(i))
          .concat(key(texts.length))
          .sort(),
      );
      removeFolders();
    }),
    { numRuns: 50 },
  );
});

test('what is kept stays as it was, and all else is forgotten', () => {
  const dir = temporaryFolder();
  const uses = new Uses(dir);
  for (let i = 0; i < 10; i++) {
    uses.note('raw', key(i));
    uses.save(1000 + i);
  }
  uses.note('raw', key(3));
  uses.save(5000);
  const kept = uses.versions().filter((_, i) => i % 2 === 0);
  uses.keep(kept);
  assert.equal(new Uses(dir).versions(), kept);
});

test('thousands of builds leave a small file that tells the same', () => {
  const dir = temporaryFolder();
  const uses = new Uses(dir);
  const targets = Array.from({ length: 100 }, (_, i) => `target ${i}`);
  for (let build = 0; build < 300; build++) {
    for (const target of targets) uses.note(target, key(build >> 5));
    uses.save(1000 + build);
  }
  assert.ok(statSync(fileOf(dir)).size < 1.1e6);
  const versions = new Uses(dir).versions();
  assert.is(versions.length, 100 * 10);
  assert.equal(versions[0], { target: 'target 0', key: key(9), builtMs: 1000 + 288, usedMs: 1299 });
});

test.run();
