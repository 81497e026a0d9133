import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type FileIdentity,
  identityOf,
  openFile,
  readFile,
  readIfThere,
  sameIdentity,
  uniqueName,
  writeFileAtomic,
} from '../../src/base/files.ts';
import { temporaryFolder } from '../cache/folders.ts';

const test = suite('files');

test('a file is replaced as a whole, in folders that are made for it, and nothing else is left', () => {
  const dir = temporaryFolder();
  const path = join(dir, 'deep', 'file');
  writeFileAtomic(path, 'old');
  writeFileAtomic(path, Buffer.from('new'));
  assert.is(readFileSync(path, 'utf8'), 'new');
  assert.equal(readdirSync(join(dir, 'deep')), ['file']);
});

test('what can not be put in place leaves the old file', () => {
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'folder', 'inner'), { recursive: true });
  assert.throws(() => writeFileAtomic(join(dir, 'folder'), 'x'));
  assert.equal([readdirSync(dir), readdirSync(join(dir, 'folder'))], [['folder'], ['inner']]);
});

test('a file that is not there has no bytes; one that can not be read is an error', () => {
  const dir = temporaryFolder();
  assert.is(readIfThere(join(dir, 'none')), undefined);
  assert.throws(() => readIfThere(dir), /EISDIR/);
  writeFileSync(join(dir, 'empty'), '');
  assert.is(readIfThere(join(dir, 'empty'))?.length, 0);
});

test('what is no file is refused at once, without a look at it before: nobody may ever write into a pipe', () => {
  const dir = temporaryFolder();
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const read of [openFile, readFile, readIfThere]) assert.throws(() => read(pipe), /it is a named pipe, not a file/);
  assert.throws(() => readFile('/dev/zero'), /it is a device, not a file/);
  writeFileSync(join(dir, 'file'), 'bytes');
  assert.is(readFile(join(dir, 'file')).toString(), 'bytes');
  closeSync(openFile(join(dir, 'file')));
});

test('identity tells that a file was written, touched, or replaced, and nothing else', () => {
  const path = join(temporaryFolder(), 'file');
  assert.is(identityOf(path), undefined);
  const seen = (): FileIdentity => identityOf(path) as FileIdentity;
  writeFileSync(path, 'a');
  const first = seen();
  assert.ok(sameIdentity(first, seen()));
  readFileSync(path);
  assert.ok(sameIdentity(first, seen()));
  utimesSync(path, new Date(0), new Date(0));
  const touched = seen();
  assert.not.ok(sameIdentity(first, touched));
  writeFileSync(`${path}2`, 'a');
  utimesSync(`${path}2`, new Date(0), new Date(0));
  renameSync(`${path}2`, path);
  assert.not.ok(sameIdentity(touched, seen()));
});

test('no two names for temporary files are equal', () => {
  const names = Array.from({ length: 1000 }, () => uniqueName('x'));
  assert.is(new Set(names).size, 1000);
});

test.run();
