import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { pathBelow } from '../../src/publish/place.ts';
import { readPublished, recordOf } from '../../src/publish/published.ts';
import { temporaryFolder } from '../cache/folders.ts';
import { Folder, large, sorted } from './folder.ts';

const test = suite('publish');

const errorOf = async (work: Promise<unknown>): Promise<BuildError | undefined> => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error === undefined || error instanceof BuildError, String(error));
  return error as BuildError | undefined;
};

test('a folder holds exactly what is wanted, small and large, in folders of its own', async () => {
  const folder = new Folder();
  const files = { 'a.txt': 'a', 'deep/er/b.txt': large('b'), 'manifest.json': '{}' };
  assert.equal(await folder.publish(files), { written: 3, removed: 0, bytes: 70_003 });
  assert.equal(folder.files(), sorted(files));
  assert.equal(await folder.publish(files), { written: 0, removed: 0, bytes: 0 });
});

test('files appear in the order given, so that what lists the others comes last', async () => {
  const folder = new Folder();
  await folder.publish({ z: large('z'), y: large('y'), 'a-manifest': 'list' });
  const born = (name: string): bigint => lstatSync(folder.path(name), { bigint: true }).ctimeNs;
  assert.ok(born('z') <= born('y') && born('y') <= born('a-manifest'));
  const published = readPublished(folder.stateDir, folder.out);
  assert.equal(
    [0, 1, 2].map((i) => published.file(i).name),
    ['z', 'y', 'a-manifest'],
  );
});

test('a large blob lies in one place: in the store, then in the folder, and back when it is no longer wanted', async () => {
  const folder = new Folder();
  const digest = folder.store.put(Buffer.from(large('x')));
  await folder.publish({ x: large('x') });
  assert.not.ok(existsSync(folder.store.path(digest)));
  assert.is(folder.locations().locate(digest)?.[0]?.path, folder.path('x'));
  await folder.publish({});
  assert.ok(existsSync(folder.store.path(digest)));
  assert.equal(folder.files(), {});
  await folder.publish({ x: large('x') });
  assert.equal(folder.made, [], 'going back asks for no step');
});

test('what a new file replaces goes back to the store', async () => {
  const folder = new Folder();
  await folder.publish({ x: large('old') });
  await folder.publish({ x: large('new') });
  await folder.publish({ x: large('old') });
  assert.equal(folder.made, [large('old'), large('new')]);
  assert.equal(folder.files(), { x: large('old') });
});

test('the same content may be published under several names', async () => {
  const folder = new Folder();
  await folder.publish({ a: large('same'), b: large('same'), 'c/d': large('same') });
  assert.equal(folder.files(), { a: large('same'), b: large('same'), 'c/d': large('same') });
  await folder.publish({ b: large('same') });
  assert.equal(folder.files(), { b: large('same') });
});

test('names may change over among the same contents', async () => {
  const folder = new Folder();
  const [x, y, z] = ['x', 'y', 'z'].map(large) as [string, string, string];
  await folder.publish({ 0: x, 1: y, 2: z });
  await folder.publish({ 0: z, 1: x, 2: y, 3: x });
  assert.equal(folder.files(), { 0: z, 1: x, 2: y, 3: x });
  assert.equal(folder.made, [x, y, z]);
});

test('two folders may hold the same content', async () => {
  const one = new Folder();
  await one.publish({ x: large('same') });
  const two = new Folder(one.root, 'other');
  await two.publish({ x: large('same') });
  assert.equal([one.files(), two.files()], [{ x: large('same') }, { x: large('same') }]);
});

test('a published file that someone edited stops the build, before anything is changed', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: 'b' });
  folder.write('b', 'edited');
  const error = await errorOf(folder.publish({ a: 'other', b: 'b2' }));
  assert.equal([error?.code, error?.where], ['edited', folder.path('b')]);
  assert.equal(folder.files(), { a: 'a', b: 'edited' });
});

test('--overwrite replaces what someone edited, and files that are not ours', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a' });
  folder.write('a', 'edited');
  folder.write('b', 'not ours');
  await folder.publish({ a: 'a2', b: 'b' }, { overwrite: true });
  assert.equal(folder.files(), { a: 'a2', b: 'b' });
});

test('an edit that put size and times back is seen as well', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'content' });
  const { atime, mtime } = lstatSync(folder.path('a'));
  writeFileSync(folder.path('a'), 'CONTENT');
  utimesSync(folder.path('a'), atime, mtime);
  assert.is((await errorOf(folder.publish({ a: 'new' })))?.code, 'edited');
  assert.is(folder.locations().locate(digestHex('content'))?.[0]?.path.startsWith(folder.out), false);
});

test('a file that was only touched is still ours', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: 'b' });
  utimesSync(folder.path('a'), new Date(0), new Date(0));
  assert.equal(await folder.publish({ a: 'a', b: 'b' }), { written: 0, removed: 0, bytes: 0 });
  utimesSync(folder.path('a'), new Date(1000), new Date(1000));
  await folder.publish({ a: 'a2', b: 'b' });
  assert.equal(folder.files(), { a: 'a2', b: 'b' });
});

test('a file that is not ours stops the build where one is to be published, unless it has that very content', async () => {
  const folder = new Folder();
  folder.write('a', 'mine');
  assert.is((await errorOf(folder.publish({ a: 'a' })))?.code, 'edited');
  assert.equal(folder.files(), { a: 'mine' });
  await folder.publish({ a: 'mine' });
  assert.equal(folder.files(), { a: 'mine' });
});

test('other files in the folder are left alone', async () => {
  const folder = new Folder();
  folder.write('notes/mine.txt', 'mine');
  await folder.publish({ a: 'a' });
  await folder.publish({});
  assert.equal(folder.files(), { 'notes/mine.txt': 'mine' });
});

test('a folder goes with the last of our files in it, one that holds something else stays', async () => {
  const folder = new Folder();
  await folder.publish({ 'split/old/a': 'a', 'split/b': 'b', 'shared/c': 'c', 'far/off/d': 'd' });
  writeFileSync(folder.path('shared/notes.txt'), 'mine');
  mkdirSync(folder.path('empty'));
  await folder.publish({ 'split/b': 'b' });
  assert.equal(readdirSync(folder.out).sort(), ['empty', 'shared', 'split']);
  assert.equal(readdirSync(folder.path('split')), ['b']);
  await folder.publish({});
  assert.equal(readdirSync(folder.out).sort(), ['empty', 'shared']);
});

test('a published file that is missing is published again', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: large('b') });
  rmSync(folder.path('b'));
  rmSync(folder.path('a'));
  await folder.publish({ a: 'a', b: large('b') });
  assert.equal(folder.files(), { a: 'a', b: large('b') });
});

test('a file that is no longer wanted stays when someone edited it, with a warning, and is not ours any more', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: 'b' });
  folder.write('b', 'edited');
  await folder.publish({ a: 'a' });
  assert.equal([folder.files(), folder.warnings], [{ a: 'a', b: 'edited' }, [folder.path('b')]]);
  await folder.publish({ a: 'a' });
  assert.is(folder.warnings.length, 1);
});

test('publishing a part of a folder keeps the rest of it', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: 'b', c: 'c' });
  await folder.publish({ b: 'b2' }, { partial: true });
  assert.equal(folder.files(), { a: 'a', b: 'b2', c: 'c' });
  assert.is(readPublished(folder.stateDir, folder.out).wanted, '', 'the next whole build looks again');
  await folder.publish({ b: 'b2' });
  assert.equal(folder.files(), { b: 'b2' });
});

test("a source of the user's is never written, removed or owned: to publish over it is an error, also with --overwrite", async () => {
  const folder = new Folder();
  folder.write('custom/mine.jsonl', 'mine');
  const isInPlace = (path: string): boolean => path === folder.path('custom/mine.jsonl');
  for (const overwrite of [false, true]) {
    const error = await folder
      .publish({ 'custom/mine.jsonl': 'as dsbuild would write it', a: 'a' }, { isInPlace, overwrite })
      .catch((thrown: unknown) => thrown);
    const { code, where } = error as BuildError;
    assert.equal([code, where], ['over-source', folder.path('custom/mine.jsonl')]);
    assert.equal(folder.files(), { 'custom/mine.jsonl': 'mine' });
  }
  await folder.publish({ a: 'a' }, { isInPlace });
  assert.equal(folder.files(), { a: 'a', 'custom/mine.jsonl': 'mine' });
  assert.is(readPublished(folder.stateDir, folder.out).count, 1);
  await folder.publish({}, { isInPlace });
  assert.equal(folder.files(), { 'custom/mine.jsonl': 'mine' });
});

test('what someone writes while bytes are being brought is not replaced', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a', b: 'b' });
  const { store } = folder;
  const put = store.put.bind(store);
  store.put = (bytes) => {
    folder.write('a', 'edited meanwhile');
    return put(bytes);
  };
  assert.is((await errorOf(folder.publish({ a: 'a2', b: 'b2' })))?.code, 'edited');
  assert.equal(folder.files(), { a: 'edited meanwhile', b: 'b' });
});

test('names that lead outside are refused, before anything is written', async () => {
  const folder = new Folder();
  for (const name of ['..', '../x', 'a/../../x', '/etc/x', 'a//b', 'a/', './a', 'a/./b', '', 'a\0b', 'a\\b', 'a/..']) {
    assert.is((await errorOf(folder.publish({ good: 'x', [name]: 'bad' })))?.code, 'bad-name', JSON.stringify(name));
  }
  assert.equal(folder.files(), {});
});

test('nothing is published through a link to another folder', async () => {
  const folder = new Folder();
  const elsewhere = temporaryFolder();
  mkdirSync(folder.out, { recursive: true });
  symlinkSync(elsewhere, folder.path('linked'));
  assert.is((await errorOf(folder.publish({ 'linked/x': 'x' })))?.code, 'bad-name');
  assert.is((await errorOf(folder.publish({ 'linked/deep/x': 'x' }, { overwrite: true })))?.code, 'bad-name');
  assert.not.ok(existsSync(join(elsewhere, 'x')));
});

test('a link at a published path is replaced only with --overwrite, and never what it points to', async () => {
  const folder = new Folder();
  const target = join(temporaryFolder(), 'target');
  writeFileSync(target, 'precious');
  mkdirSync(folder.out, { recursive: true });
  symlinkSync(target, folder.path('x'));
  assert.is((await errorOf(folder.publish({ x: 'x' })))?.code, 'edited');
  await folder.publish({ x: 'x' }, { overwrite: true });
  assert.equal([folder.files(), readFileSync(target, 'utf8')], [{ x: 'x' }, 'precious']);
});

test('a folder where a file is wanted, or a file where a folder is, is named and left alone', async () => {
  const folder = new Folder();
  folder.write('x/inner', 'mine');
  folder.write('y', 'mine');
  for (const overwrite of [false, true]) {
    assert.equal(await errorOf(folder.publish({ a: 'a', x: 'x' }, { overwrite })).then((error) => [error?.code, error?.where]), [
      'edited',
      folder.path('x'),
    ]);
    assert.equal(await errorOf(folder.publish({ a: 'a', 'y/z': 'z' }, { overwrite })).then((error) => [error?.code, error?.where]), [
      'edited',
      folder.path('y'),
    ]);
  }
  assert.equal(folder.files(), { 'x/inner': 'mine', y: 'mine' });
  const taken = new Folder();
  writeFileSync(taken.out, 'a file');
  assert.is((await errorOf(taken.publish({ a: 'a' })))?.where, taken.out);
});

test('bytes that nobody has are an error that names the file, and change nothing', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a' });
  folder.store.put = (bytes) => digestHex(bytes);
  assert.is((await errorOf(folder.publish({ a: 'a2' })))?.code, 'missing-bytes');
  assert.equal(folder.files(), { a: 'a' });
});

test('a list of published files that is damaged is forgotten: what has the wanted content stays ours', async () => {
  const folder = new Folder();
  await folder.publish({ a: 'a' });
  const state = recordOf(folder.stateDir, folder.out, 'bin');
  const bytes = readFileSync(state);
  bytes[40] = (bytes[40] as number) ^ 1;
  writeFileSync(state, bytes);
  assert.is(readPublished(folder.stateDir, folder.out).count, 0);
  assert.equal(await folder.publish({ a: 'a' }), { written: 0, removed: 0, bytes: 0 });
  await folder.publish({ a: 'a2' });
  assert.equal(folder.files(), { a: 'a2' });
});

test('a good name leads below the folder', () => {
  assert.is(pathBelow('/out', 'a/b..c/.d'), '/out/a/b..c/.d');
});

test.run();
