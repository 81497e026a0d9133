import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import type { SourceSpec } from '../../src/source/list.ts';
import { type LocalSources, type ScanLocalOptions, scanLocal } from '../../src/source/local.ts';
import { type ScanFile, scanFile } from '../../src/source/scan-file.ts';
import { readSegments } from '../../src/source/segments.ts';
import { readTable, writeTable } from '../../src/source/table.ts';
import { chunkBytes, numbers, put, someLines, temporaryFolder } from './files.ts';

const test = suite('local sources');

/** Long after every file was written: nothing is racy. */
const later = (): number => Date.now() + 3_600_000;
/** As soon as they were written, however long the machine takes to come to it: all are racy. */
const atOnce = (): number => 0;

type Sources = Record<string, string | string[]>;

/** A project folder: what its scans read, and what they gave. */
function project(files: Record<string, string>, sources: Sources = { all: '**/*.jsonl' }) {
  const base = temporaryFolder();
  put(base, files);
  const read: string[] = [];
  const specs = (wanted: Sources): SourceSpec[] =>
    Object.entries(wanted).map(([group, patterns]) => ({ group, patterns: [patterns].flat(), base }));
  const counting: ScanFile = (job, signal) => {
    read.push(job.path.slice(base.length + 1));
    return scanFile(job, signal);
  };
  const tableFile = join(base, '.dsbuild', 'sources', 'raw.bin');
  const scan = async (options: Partial<ScanLocalOptions> & { wanted?: Sources } = {}): Promise<LocalSources> => {
    read.length = 0;
    const { wanted = sources, ...others } = options;
    return scanLocal({ sources: specs(wanted), tableFile, chunkBytes, now: later, scanFile: counting, ...others });
  };
  const clean = (wanted: Sources = sources): Promise<LocalSources> =>
    scanLocal({ sources: specs(wanted), tableFile: join(temporaryFolder(), 'table.bin'), chunkBytes, now: later });
  const path = (name: string): string => join(base, name);
  return { base, read, scan, clean, path, tableFile, put: (more: Record<string, string>) => put(base, more) };
}

const chunksOf = (local: LocalSources) => Array.from({ length: local.chunkCount }, (_, i) => local.chunk(i));

/** Two scans that say the same of all chunks and lines; and what they say is so. */
function assertSame(scanned: LocalSources, clean: LocalSources): void {
  assert.is(scanned.listDigest, clean.listDigest);
  assert.equal(chunksOf(scanned), chunksOf(clean));
  assert.equal([scanned.groups, scanned.files, scanned.bytes, scanned.missing], [clean.groups, clean.files, clean.bytes, clean.missing]);
  for (const chunk of chunksOf(scanned)) {
    const bytes = readSegments(chunk.segments);
    assert.equal([digestHex(bytes), bytes.length], [chunk.digest, chunk.bytes]);
  }
}

/** Every record of every chunk is the line that `lines` says it is, and that line is found again. */
function assertLines(local: LocalSources): void {
  const linesOf = new Map<string, string[]>();
  const line = (path: string, number: number): string | undefined => {
    const lines = linesOf.get(path) ?? readFileSync(path, 'utf8').split('\n');
    linesOf.set(path, lines);
    return lines[number - 1];
  };
  chunksOf(local).forEach((chunk, index) => {
    const records = Buffer.from(readSegments(chunk.segments)).toString().replace(/\n$/, '').split('\n');
    assert.is(records.length, chunk.records);
    records.forEach((record, i) => {
      const place = local.lines(index, i);
      assert.is(line(place.path, place.line), record);
      assert.equal(local.recordAt(place.path, place.line), { chunk: index, record: i });
    });
  });
}

const mixed = (): Record<string, string> => ({
  'a/big.jsonl': someLines(60_000, 1),
  'a/one.jsonl': someLines(900, 2),
  'a/two.jsonl': 'no newline at the end',
  'b/empty.jsonl': '',
  'b/big.jsonl': someLines(30_000, 3).slice(0, -1),
  ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c/${String(i).padStart(3, '0')}.jsonl`, someLines(i * 30, i)])),
});

test('every record of every file is in one chunk, in the order of the files', async () => {
  const { scan, path } = project(mixed());
  const local = await scan();
  const completed = (text: string): string => text.replace(/([^\n])$/, '$1\n');
  const chunks = chunksOf(local).map((chunk) => completed(Buffer.from(readSegments(chunk.segments)).toString()));
  const names = Object.keys(mixed()).sort();
  assert.ok(chunks.join('') === names.map((name) => completed(readFileSync(path(name), 'utf8'))).join(''));
  assert.is(local.files, names.length);
  assert.ok(chunksOf(local).some((chunk) => chunk.segments.length > 10));
  assertLines(local);
});

test('an unchanged list is not read again', async () => {
  const { scan, clean, read, tableFile } = project(mixed());
  const first = await scan();
  assert.is(first.unchanged, false);
  const table = readFileSync(tableFile);
  const second = await scan();
  assert.equal([second.unchanged, read], [true, []]);
  assert.equal(readFileSync(tableFile), table);
  assertSame(second, await clean());
});

test('an empty list has no chunks, and is unchanged the next time', async () => {
  const { scan } = project({}, {});
  assert.equal([(await scan()).chunkCount, (await scan()).unchanged], [0, true]);
  const none = project({ 'e.jsonl': '' });
  const local = await none.scan();
  assert.equal([local.files, local.chunkCount, local.groups, local.bytes], [1, 0, ['all'], 0]);
});

test('a changed file is read, the others are not', async () => {
  const { scan, clean, put, read } = project(mixed());
  const before = await scan();
  put({ 'a/big.jsonl': someLines(60_000, 99) });
  const after = await scan();
  assert.equal([after.unchanged, read], [false, ['a/big.jsonl']]);
  assert.is.not(after.listDigest, before.listDigest);
  assertSame(after, await clean());
});

test('a file that was touched but holds the same is read, and the list is unchanged', async () => {
  const { scan, path, read } = project(mixed());
  await scan();
  utimesSync(path('a/big.jsonl'), 1, 1);
  assert.equal([(await scan()).unchanged, read], [true, ['a/big.jsonl']]);
  assert.equal([(await scan()).unchanged, read], [true, []]);
});

test('a racy file is read at every scan until it is not racy any more', async () => {
  const { scan, read } = project(mixed());
  await scan({ now: atOnce });
  await scan({ now: atOnce });
  assert.equal([...read].sort(), ['a/big.jsonl', 'b/big.jsonl']);
  assert.is((await scan()).unchanged, true);
  await scan();
  assert.equal(read, []);
});

test('a small file that was rewritten within the same tick of the clock is found because it was racy', async () => {
  const { scan, clean, path, put, tableFile } = project({ 'a.jsonl': 'one\n', 'b.jsonl': 'two\n' });
  const rewriteUnseen = (content: string): void => {
    put({ 'a.jsonl': content });
    const table = readTable(tableFile, chunkBytes);
    assert.ok(table);
    const { mtimeNs, ctimeNs } = statSync(path('a.jsonl'), { bigint: true });
    table?.mtimesNs.set([mtimeNs]);
    table?.ctimesNs.set([ctimeNs]);
    if (table) writeTable(tableFile, chunkBytes, table);
  };
  await scan({ now: atOnce });
  rewriteUnseen('eno\n');
  assertSame(await scan(), await clean());
  rewriteUnseen('neo\n');
  assert.is((await scan()).unchanged, true, 'nothing else tells such a file');
});

test('a small file that changes after it was looked at is looked at again', async () => {
  const { scan, clean, put } = project({ 'a.jsonl': someLines(9000, 1), 'b.jsonl': 'two\n', 'c.jsonl': 'three\n' });
  await scan();
  put({ 'a.jsonl': someLines(9000, 2), 'd.jsonl': 'four\n' });
  const changing: ScanFile = (job) => {
    put({ 'b.jsonl': 'two and\na half\n' });
    return scanFile(job);
  };
  assertSame(await scan({ scanFile: changing }), await clean());
});

test('a file that becomes a pipe after it was listed is not waited for: globs pass it over, by its path it is missing', async () => {
  const asPipe = (file: string): void => {
    rmSync(file, { force: true });
    execFileSync('mkfifo', [file]);
  };
  for (const [gone, read] of [
    ['a.jsonl', 'the large one itself'],
    ['b.jsonl', 'a small one behind it'],
  ] as const) {
    for (const pattern of ['*.jsonl', ['a.jsonl', 'b.jsonl', 'c.jsonl']]) {
      const { scan, clean, path } = project({ 'a.jsonl': someLines(9000, 1), 'b.jsonl': 'two\n', 'c.jsonl': 'three\n' }, { all: pattern });
      const changing: ScanFile = (job) => {
        if (existsSync(path(gone)) && statSync(path(gone)).isFile()) asPipe(path(gone));
        return scanFile(job);
      };
      const scanned = await scan({ scanFile: changing });
      assertSame(scanned, await clean());
      const missing = typeof pattern === 'string' ? [] : [{ group: 'all', pattern: gone }];
      assert.equal([scanned.files, scanned.missing], [2, missing], read);
    }
  }
});

test('a paranoid scan reads every file', async () => {
  const { scan, clean, read } = project(mixed());
  await scan();
  const again = await scan({ paranoid: true });
  assert.equal([again.unchanged, [...read].sort()], [true, ['a/big.jsonl', 'b/big.jsonl']]);
  assertSame(again, await clean());
});

test('a renamed file keeps its chunks: nothing of it is named again', async () => {
  const { scan, clean, path } = project(mixed());
  const before = await scan();
  renameSync(path('a/big.jsonl'), path('d.jsonl'));
  let namedBytes = 0;
  const after = await scan({
    scanFile: async (job) => {
      const result = await scanFile(job);
      namedBytes += result.namedBytes;
      return result;
    },
  });
  assert.is(namedBytes, 0);
  assert.is.not(after.listDigest, before.listDigest);
  assertSame(after, await clean());
});

test('a file replaced by renaming another over it is read, even if size and time are the same', async () => {
  const { scan, clean, path, put } = project({ 'a.jsonl': someLines(20_000, 1) });
  utimesSync(path('a.jsonl'), 5, 5);
  await scan();
  put({ 'a.new': readFileSync(path('a.jsonl'), 'utf8').replaceAll('x', 'y') });
  utimesSync(path('a.new'), 5, 5);
  renameSync(path('a.new'), path('a.jsonl'));
  const after = await scan();
  assert.is(after.unchanged, false);
  assertSame(after, await clean());
});

test('two files that change places change the list', async () => {
  const { scan, clean, path } = project({
    'a.jsonl': 'one\n',
    'b.jsonl': 'two\n',
    'c.jsonl': someLines(9000, 1),
    'd.jsonl': someLines(9000, 2),
  });
  await scan();
  for (const [one, other] of [
    ['a.jsonl', 'b.jsonl'],
    ['c.jsonl', 'd.jsonl'],
  ] as const) {
    renameSync(path(one), path('t'));
    renameSync(path(other), path(one));
    renameSync(path('t'), path(other));
  }
  const after = await scan();
  assert.is(after.unchanged, false);
  assertSame(after, await clean());
});

test('a table that is damaged, of another chunk size, or gone is as if there had been no scan', async () => {
  const { scan, clean, tableFile, read } = project(mixed());
  await scan();
  const table = readFileSync(tableFile);
  writeFileSync(tableFile, table.subarray(0, table.length - 1));
  assertSame(await scan(), await clean());
  assert.is(read.length, 2);
  writeFileSync(
    tableFile,
    table.map((byte, i) => (i === table.length >> 1 ? byte ^ 8 : byte)),
  );
  assertSame(await scan(), await clean());
  assert.is(read.length, 2);
  rmSync(tableFile);
  assert.is((await scan()).unchanged, false);
  assert.is((await scan({ chunkBytes: 2 * chunkBytes })).unchanged, false);
});

test('a pattern that is added or a group that has another name does not make the files read again', async () => {
  const { scan, clean, read } = project(mixed());
  const before = await scan();
  const wanted = { other: ['a/*.jsonl', 'b/*.jsonl', 'c/*.jsonl'], more: 'a/big.jsonl' };
  const after = await scan({ wanted });
  assert.equal([read, after.groups], [[], ['other', 'more']]);
  assert.is.not(after.listDigest, before.listDigest);
  assertSame(after, await clean(wanted));
});

test('a group with a star makes each file a group, and files of one group stay together', async () => {
  const sources = { 'custom/*': 'in/**/*.jsonl*' };
  const { scan } = project({ 'in/a.jsonl': 'a\n', 'in/a.jsonl-x': 'x\n', 'in/a.jsonl.gz': 'z\n', 'in/d/b.jsonl': 'b\n' }, sources);
  const local = await scan();
  assert.equal(local.groups, ['custom/a', 'custom/a.jsonl-x', 'custom/d/b']);
  assert.equal(
    chunksOf(local).map((chunk) => [chunk.group, Buffer.from(readSegments(chunk.segments)).toString()]),
    [
      ['custom/a', 'a\nz\n'],
      ['custom/a.jsonl-x', 'x\n'],
      ['custom/d/b', 'b\n'],
    ],
  );
  assert.is((await scan()).unchanged, true);
});

test('small files of two groups, or on both sides of a big one, share no chunk', async () => {
  const files = { 'a/1.jsonl': '1\n', 'a/2.jsonl': someLines(9000, 1), 'a/3.jsonl': '3\n', 'b/4.jsonl': '4\n' };
  const { scan } = project(files, { a: 'a/*', b: 'b/*' });
  assert.equal(
    chunksOf(await scan())
      .filter((chunk) => chunk.bytes < 100)
      .map((chunk) => chunk.bytes),
    [2, 2, 2],
  );
});

test('one small file among many is edited: one or two chunks change', async () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`${String(i).padStart(4, '0')}.jsonl`, someLines(300, i)]));
  const { scan, clean, put } = project(many);
  const before = new Set(chunksOf(await scan()).map((chunk) => chunk.digest));
  put({ '0250.jsonl': someLines(300, 9999) });
  const after = await scan();
  const changed = chunksOf(after).filter((chunk) => !before.has(chunk.digest)).length;
  assert.ok(changed >= 1 && changed <= 2, `${changed} chunks changed`);
  assertSame(after, await clean());
});

test('whatever happens to files, a scan says what a first scan says', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const next = numbers(seed);
    const { scan, clean, put, path, base } = project(mixed());
    const names = [...Object.keys(mixed()), 'n1.jsonl', 'c/n2.jsonl'];
    const events: ((name: string) => void)[] = [
      (name) => put({ [name]: someLines(next() % 9000, next()) }),
      (name) => put({ [name]: someLines(next() % 500, next()).slice(0, -1) }),
      (name) => existsSync(path(name)) && put({ [name]: readFileSync(path(name), 'utf8') + someLines(next() % 3000, next()) }),
      (name) => existsSync(path(name)) && truncateSync(path(name), next() % 5000),
      (name) => rmSync(path(name), { force: true }),
      (name) => existsSync(path(name)) && renameSync(path(name), path(names[next() % names.length] as string)),
      (name) => rmSync(path(name), { force: true }) ?? symlinkSync(join(base, 'a/big.jsonl'), path(name)),
    ];
    for (let round = 0; round < 5; round++) {
      for (let count = next() % 4; count >= 0; count--) events[next() % events.length]?.(names[next() % names.length] as string);
      const local = await scan();
      assertSame(local, await clean());
      assertLines(local);
    }
  }
});

test('big files are scanned where the caller says, 16 at a time at most', async () => {
  const { scan, clean } = project(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.jsonl`, someLines(5000, i)])));
  let running = 0;
  let most = 0;
  const local = await scan({
    scanFile: async (job) => {
      most = Math.max(most, ++running);
      const result = structuredClone(await scanFile(structuredClone(job)));
      running--;
      return result;
    },
  });
  assert.ok(most > 1 && most <= 16, `${most} at a time`);
  assertSame(local, await clean());
});

test('a failed scan fails the whole when the others have ended, and leaves the last table', async () => {
  const { scan, put, tableFile } = project({ 'a.jsonl': someLines(9000, 1), 'b.jsonl': someLines(9000, 2) });
  await scan();
  const table = readFileSync(tableFile);
  put({ 'a.jsonl': someLines(9000, 3), 'b.jsonl': someLines(9000, 4) });
  let ended = 0;
  const failing: ScanFile = async (job) => {
    if (job.path.endsWith('a.jsonl')) throw new BuildError('source-unreadable', { message: 'no' });
    const result = await scanFile(job);
    ended++;
    return result;
  };
  try {
    await scan({ scanFile: failing });
    assert.unreachable();
  } catch (error) {
    assert.equal([(error as BuildError).code, ended], ['source-unreadable', 1]);
  }
  assert.equal(readFileSync(tableFile), table);
});

test('a file that goes away or shrinks while others are scanned is listed again', async () => {
  const { scan, clean, path } = project({ 'a.jsonl': someLines(9000, 1), 'b.jsonl': someLines(9000, 2), 'c.jsonl': 'c\n' });
  const hostile: ScanFile = (job) => {
    rmSync(path('c.jsonl'), { force: true });
    if (job.path.endsWith('a.jsonl')) truncateSync(job.path, 10);
    return scanFile(job);
  };
  const local = await scan({ scanFile: hostile });
  assert.is(local.files, 2);
  assertSame(local, await clean());
});

test('a file that never stays big or small is an error, not a loop', async () => {
  const { scan, path } = project({ 'a.jsonl': someLines(9000, 1) });
  let scans = 0;
  const restless: ScanFile = async (job) => {
    scans++;
    truncateSync(job.path, 10);
    const result = await scanFile(job);
    writeFileSync(job.path, someLines(9000, 1));
    return result;
  };
  try {
    await scan({ scanFile: restless });
    assert.unreachable();
  } catch (error) {
    assert.equal([(error as BuildError).code, (error as BuildError).where, scans], ['source-changing', path('a.jsonl'), 3]);
  }
});

test('an aborted scan throws the reason and writes no table', async () => {
  const { scan, tableFile } = project(mixed());
  const abort = new AbortController();
  const reason = new Error('enough');
  const aborting: ScanFile = (job) => {
    abort.abort(reason);
    return scanFile(job);
  };
  try {
    await scan({ signal: abort.signal, scanFile: aborting });
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
  assert.not(existsSync(tableFile));
});

test('chunks are found by their digest, identities by their path', async () => {
  const { scan, path } = project(mixed());
  const local = await scan();
  chunksOf(local).forEach((chunk, i) => {
    assert.is(local.chunk(local.indexOf(chunk.digest) as number).digest, chunk.digest);
    assert.ok((local.indexOf(chunk.digest) as number) <= i);
  });
  assert.is(local.indexOf('00'), undefined);
  assert.is(local.fileIdentity(path('a/two.jsonl'))?.size, 21n);
  assert.is(local.fileIdentity(path('a/absent.jsonl')), undefined);
});

test('chunks, records and lines that are not there are refused', async () => {
  const { scan, path } = project({ 'a.jsonl': 'one\ntwo\n' });
  const local = await scan();
  for (const ask of [() => local.chunk(1), () => local.chunk(-1), () => local.lines(0, 2), () => local.lines(1, 0)]) {
    assert.throws(ask, (error: unknown) => error instanceof RangeError);
  }
  assert.equal(
    [local.recordAt(path('a.jsonl'), 3), local.recordAt(path('a.jsonl'), 0), local.recordAt('b', 1)],
    [undefined, undefined, undefined],
  );
});

test('missing paths are named again when nothing changed', async () => {
  const { scan } = project({ 'a.jsonl': 'one\n' }, { all: ['a.jsonl', 'gone.jsonl'] });
  const missing = [{ group: 'all', pattern: 'gone.jsonl' }];
  assert.equal((await scan()).missing, missing);
  assert.equal((await scan()).missing, missing);
});

test('a chunk whose file was cut short or is gone gives fewer bytes, so that its digest differs', async () => {
  const { scan, path } = project({ 'a.jsonl': 'one\ntwo', 'b.jsonl': 'three' });
  const { segments } = (await scan()).chunk(0);
  assert.is(Buffer.from(readSegments(segments)).toString(), 'one\ntwo\nthree\n');
  truncateSync(path('a.jsonl'), 2);
  assert.is(Buffer.from(readSegments(segments)).toString(), 'on\nthree\n');
  rmSync(path('b.jsonl'));
  assert.is(Buffer.from(readSegments(segments)).toString(), 'on\n\n');
});

test.run();
