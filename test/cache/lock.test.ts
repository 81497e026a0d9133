import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LockMode, readLock } from '../../src/cache/lock.ts';
import { refusalOfCall } from '../refusal.ts';

const test = suite('lock');
let folder = '';
let file = '';

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  file = join(folder, 'dsbuild.lock');
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const written = (): string[] => readFileSync(file, 'utf8').split('\n').slice(1, -1);
const source = { blake3: 'ab12', bytes: '10', etag: '"x 1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' };

/** A lock file with one entry of `values`, read again. */
function saved(values: Record<string, string>, mode: LockMode) {
  const lock = readLock(file);
  lock.add('source', 'https://host/a', values);
  lock.save();
  return readLock(file, mode);
}

test('an entry is one line, its names sorted, and reads back as it was', () => {
  saved(source, 'add');
  assert.equal(written(), ['source "https://host/a" blake3=ab12 bytes=10 etag="\\"x 1\\"" last-modified="Mon, 01 Jan 2024 00:00:00 GMT"']);
  assert.equal(readLock(file).get('source', 'https://host/a'), source);
});

test('lines are sorted by code unit, in whatever order entries are added', () => {
  const lock = readLock(file);
  for (const address of ['https://b', 'https://Z', 'https://a']) lock.add('source', address, { blake3: '1' });
  lock.add('adapter', 'x', { blake3: '1' });
  lock.save();
  assert.equal(
    written().map((line) => line.slice(0, line.lastIndexOf(' '))),
    ['adapter "x"', 'source "https://Z"', 'source "https://a"', 'source "https://b"'],
  );
});

test('any address and any value reads back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (address, value) => {
      rmSync(file, { force: true });
      const lock = readLock(file);
      lock.add('source', `x:${address}`, { value: `v${value}` });
      lock.save();
      assert.is(readLock(file).get('source', `x:${address}`)?.['value'], lock.get('source', `x:${address}`)?.['value']);
      assert.is(readLock(file).entries().length, 1);
    }),
    { numRuns: 60 },
  );
});

test('a lock that is not there is empty, and saving nothing writes nothing', () => {
  const lock = readLock(file);
  assert.equal(lock.entries(), []);
  assert.is(lock.save(), false);
  assert.not(existsSync(file));
});

test('adding what is there already writes nothing', () => {
  const lock = saved(source, 'add');
  const before = statSync(file, { bigint: true });
  lock.add('source', 'https://host/a', { ...source });
  assert.is(lock.changed, false);
  assert.is(lock.save(), false);
  assert.is(statSync(file, { bigint: true }).mtimeNs, before.mtimeNs);
});

test('a build may not change an entry, an update may', () => {
  const error = refusalOfCall(() => saved(source, 'add').add('source', 'https://host/a', { ...source, blake3: 'ff' }));
  assert.is(error.code, 'lock-conflict');
  assert.match(error.message, /blake3=ab12[\s\S]*blake3=ff/);
  assert.match(error.hint ?? '', /dsbuild update/);
  const lock = readLock(file, 'update');
  lock.add('source', 'https://host/a', { ...source, blake3: 'ff' });
  assert.is(lock.save(), true);
  assert.is(readLock(file).get('source', 'https://host/a')?.['blake3'], 'ff');
});

test('another ETag of the same bytes is no conflict, and only an update writes it down', () => {
  const moved = { ...source, etag: 'y' };
  const lock = saved(source, 'add');
  lock.add('source', 'https://host/a', moved);
  assert.is(lock.save(), false);
  readLock(file, 'locked').add('source', 'https://host/a', moved);
  const update = readLock(file, 'update');
  update.add('source', 'https://host/a', moved);
  assert.is(update.save(), true);
  assert.is(readLock(file).get('source', 'https://host/a')?.['etag'], 'y');
});

test('a locked lock names the entry that it would get, change or lose', () => {
  const lock = saved(source, 'locked');
  lock.add('source', 'https://host/a', source);
  const refused = [
    refusalOfCall(() => lock.add('source', 'https://host/new', { blake3: '1' })),
    refusalOfCall(() => lock.add('source', 'https://host/a', { ...source, blake3: 'ff' })),
    refusalOfCall(() => lock.remove('source', 'https://host/a')),
  ];
  for (const error of refused) assert.is(error.code, 'lock-would-change');
  assert.equal(
    refused.map(({ message }) => message.slice(file.length).split(' blake3')[0]),
    [
      ' would get the entry: source "https://host/new"',
      ' would change the entry: source "https://host/a"',
      ' would lose the entry: source "https://host/a"',
    ],
  );
  lock.remove('source', 'https://host/not-there');
  assert.is(lock.save(), false);
});

test('a removed entry is gone from the file', () => {
  const lock = saved(source, 'update');
  lock.remove('source', 'https://host/a');
  assert.is(lock.save(), true);
  assert.equal(readLock(file).entries(), []);
});

test('two builds that add different entries both keep theirs', () => {
  const [one, two] = [readLock(file), readLock(file)];
  one.add('source', 'https://host/1', { blake3: '1' });
  two.add('source', 'https://host/2', { blake3: '2' });
  one.save();
  two.save();
  assert.is(written().length, 2);
  assert.is(two.entries().length, 2);
});

test('two builds that saw different bytes do not overwrite each other', () => {
  const [one, two] = [readLock(file), readLock(file)];
  one.add('source', 'https://host/1', { blake3: '1' });
  two.add('source', 'https://host/1', { blake3: '2' });
  one.save();
  assert.is(refusalOfCall(() => two.save()).code, 'lock-conflict');
  assert.equal(written(), ['source "https://host/1" blake3=1']);
});

test('no secret is written, and an address is found whatever its signature is', () => {
  const lock = readLock(file);
  lock.add('source', 'https://me:pa55@host/a?X-Amz-Signature=s1gn', { resolved: 'https://me:pa55@mirror/a?token=t0ken&part=1' });
  lock.save();
  assert.equal(written(), ['source "https://host/a" resolved="https://mirror/a?part=1"']);
  assert.ok(readLock(file).get('source', 'https://you:other@host/a?X-Amz-Signature=another'));
});

test('lines that end as on Windows, empty lines and comments are read', () => {
  writeFileSync(file, '# ours\r\n\r\nsource "https://host/a" blake3=1\r\nsource "https://host/a" blake3=1\r\n');
  assert.equal(readLock(file).get('source', 'https://host/a'), { blake3: '1' });
});

const broken: readonly [what: string, text: string, says: RegExp][] = [
  ['no quotes', 'source https://host/a blake3=1', /no entry/],
  ['a broken escape', 'source "https://host/\\x" blake3=1', /no quoted text/],
  ['a value without a name', 'source "https://host/a" =1', /no entry/],
  ['half a line', 'source "https://ho', /no entry/],
  ['markers of a merge', '<<<<<<< HEAD', /a merge left its markers/],
  ['another value for the entry above', 'source "https://host/z" blake3=2', /a second entry/],
  ['a later format', '# dsbuild lock, format 2', /format 2/],
];

for (const [what, text, says] of broken) {
  test(`a line with ${what} is named by file and line`, () => {
    writeFileSync(file, `# dsbuild lock, format 1\nsource "https://host/z" blake3=1\n${text}\n`);
    const error = refusalOfCall(() => readLock(file));
    assert.is(error.code, 'bad-lock');
    assert.is(error.where, `${file}:3`);
    assert.match(error.message, says);
    assert.ok(error.hint);
  });
}

test.run();
