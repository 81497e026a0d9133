import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readNote, writeNote } from '../../src/base/notes.ts';

const test = suite('notes');

const folder = mkdtempSync(join(tmpdir(), 'dsbuild-notes-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'deep', 'note.json');

test('what was noted is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      writeNote(path, value);
      assert.equal(readNote(path), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 40 },
  );
});

test('a note with any byte changed, cut off anywhere, or with more behind it, is as good as none', () => {
  writeNote(path, { name: 'value', list: [1, 2, 3] });
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at++) {
    for (const damaged of [
      bytes.subarray(0, at),
      Buffer.from(bytes).fill(0, at),
      Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1),
    ]) {
      writeFileSync(path, damaged);
      assert.is(readNote(path), undefined);
    }
  }
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1)]));
  assert.is(readNote(path), undefined);
});

test('a note that is not there, or is a folder, is none', () => {
  assert.is(readNote(join(folder, 'none')), undefined);
  mkdirSync(join(folder, 'taken'));
  assert.is(readNote(join(folder, 'taken')), undefined);
});

test.run();
