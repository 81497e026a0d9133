import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { type LocalSources, type ScanLocalOptions, scanLocal } from '../../src/source/local.ts';
import { readSegments } from '../../src/source/segments.ts';
import { fileFlags, readTable, type SourceTable } from '../../src/source/table.ts';
import { chunkBytes, numbers, oddBytes, put, temporaryFolder } from './files.ts';

const test = suite('what happens to files');

/** Long after every file was written: nothing is racy. */
const later = (): number => Date.now() + 3_600_000;

const names = [
  'a/big.jsonl',
  'a/one.jsonl',
  'b.jsonl',
  'line\nbreak "q".jsonl',
  'e\u0301.jsonl',
  '\u00e9.jsonl',
  ...Array.from({ length: 14 }, (_, i) => `c/${i}.jsonl`),
];

interface Happening {
  readonly path: string;
  /** What it holds, if it is a file. */
  readonly bytes: Buffer | undefined;
  readonly other: string;
  readonly next: () => number;
}

const bytesAt = (path: string): Buffer | undefined =>
  fs.statSync(path, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(path) : undefined;
const isThere = (path: string): boolean => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Makes way for something else at this path. */
function cleared(path: string): string {
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(dirname(path), { recursive: true });
  return path;
}

/** Some bytes taken out, and others put in. */
function spliced(bytes: Buffer, next: () => number): Buffer {
  const at = next() % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), oddBytes(next).subarray(0, next() % 3000), bytes.subarray(at + (next() % 3000))]);
}

/** One byte is another: neither size nor modification time tell. */
function changeByte({ path, bytes, next }: Happening): void {
  if (!bytes || bytes.length === 0) return;
  const { atime, mtime } = fs.statSync(path);
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, next() % 2 === 0 ? '#' : '\n', next() % bytes.length);
  fs.closeSync(fd);
  fs.utimesSync(path, atime, mtime);
}

/** Another file takes the name, of the same modification time. */
function replaceByRename({ path, bytes, next }: Happening): void {
  if (!bytes) return;
  const { atime, mtime } = fs.statSync(path);
  fs.writeFileSync(`${path}.new`, spliced(bytes, next));
  fs.utimesSync(`${path}.new`, atime, mtime);
  fs.renameSync(`${path}.new`, path);
}

function swap({ path, other }: Happening): void {
  if (path === other || !isThere(path) || !isThere(other)) return;
  fs.renameSync(path, `${path}.held`);
  fs.renameSync(other, path);
  fs.renameSync(`${path}.held`, other);
}

const happenings: readonly ((at: Happening) => void)[] = [
  ({ path, next }) => fs.writeFileSync(cleared(path), oddBytes(next)),
  ({ path, next }) => fs.writeFileSync(cleared(path), oddBytes(next)),
  ({ path, bytes, next }) => bytes && fs.writeFileSync(path, spliced(bytes, next)),
  ({ path, bytes, next }) => bytes && fs.appendFileSync(path, oddBytes(next)),
  ({ path, bytes, next }) => bytes && fs.appendFileSync(path, next() % 2 === 0 ? '\n' : 'and on'),
  ({ path, bytes, next }) => bytes && fs.truncateSync(path, next() % (bytes.length + 1)),
  ({ path, bytes, next }) => bytes && fs.truncateSync(path, bytes.length + (next() % 5000)),
  ({ path, bytes }) => bytes && fs.truncateSync(path, 0),
  changeByte,
  replaceByRename,
  swap,
  ({ path }) => void cleared(path),
  ({ path, other }) => path !== other && isThere(path) && fs.renameSync(path, cleared(other)),
  ({ path, next }) => put(cleared(path), { 'inside.jsonl': oddBytes(next) }),
  ({ path, bytes, other }) => bytes && path !== other && fs.symlinkSync(path, cleared(other)),
  ({ path, bytes, other }) => bytes && path !== other && fs.linkSync(fs.realpathSync(path), cleared(other)),
  ({ path }) => fs.symlinkSync(dirname(path), cleared(path)),
  ({ path, bytes }) => bytes && fs.utimesSync(path, 1, 1),
];

/** Returns when the file system's clock has moved: from then on a change is seen in a file's times. */
function clockMoved(folder: string): void {
  const ctime = (): bigint => {
    fs.writeFileSync(join(folder, 'probe'), '');
    return fs.statSync(join(folder, 'probe'), { bigint: true }).ctimeNs;
  };
  const before = ctime();
  while (ctime() === before);
}

/** All columns of a table but those that say when and where the files were written. */
function columnsAt(tableFile: string): Record<string, unknown> {
  const {
    devs: _,
    inos: __,
    mtimesNs: ___,
    ctimesNs: ____,
    fileFlags: flags,
    ...columns
  } = readTable(tableFile, chunkBytes) as SourceTable;
  return { ...columns, flags: flags.map((flag) => flag & ~fileFlags.racy) };
}

/** Every chunk is what it says it is, and its first and last record are the lines that it says they are. */
function assertTrue(local: LocalSources): void {
  for (let index = 0; index < local.chunkCount; index++) {
    const { segments, digest, bytes: length, records } = local.chunk(index);
    const bytes = Buffer.from(readSegments(segments));
    assert.equal([digestHex(bytes), bytes.length], [digest, length]);
    const lines = bytes.toString('latin1').replace(/\n$/, '').split('\n');
    assert.is(lines.length, records);
    for (const record of [0, records - 1]) {
      const { path, line } = local.lines(index, record);
      assert.is(fs.readFileSync(path, 'latin1').split('\n')[line - 1], lines[record]);
      assert.equal(local.recordAt(path, line), { chunk: index, record });
    }
  }
}

/** Files of a folder, and a scan of them now and after whatever happened. */
class Subject {
  readonly base = temporaryFolder();
  readonly tableFile = join(this.base, '.dsbuild', 'table');
  readonly #options: ScanLocalOptions;

  constructor(group: string) {
    const sources = [{ group, patterns: ['**/*.jsonl'], base: this.base }];
    this.#options = { sources, tableFile: this.tableFile, chunkBytes, now: later };
  }

  happen(next: () => number): void {
    const [path, other] = [next(), next()].map((n) => join(this.base, names[n % names.length] as string)) as [string, string];
    happenings[next() % happenings.length]?.({ path, bytes: bytesAt(path), other, next });
    // A link that leads nowhere would be an error, and is a test of its own.
    for (const name of names) if (isThere(join(this.base, name)) && !fs.existsSync(join(this.base, name))) fs.rmSync(join(this.base, name));
  }

  async check(more: Partial<ScanLocalOptions>): Promise<void> {
    const cleanFile = join(this.base, '.dsbuild', 'clean');
    fs.rmSync(cleanFile, { force: true });
    const local = await scanLocal({ ...this.#options, ...more });
    await scanLocal({ ...this.#options, tableFile: cleanFile });
    assert.equal(columnsAt(this.tableFile), columnsAt(cleanFile));
    assertTrue(local);
  }
}

test('whatever happens to files of whatever bytes, a scan says what a first scan says, to the last column', async () => {
  for (let seed = 0; seed < 9; seed++) {
    const next = numbers(seed);
    const subject = new Subject(seed % 3 === 0 ? 'each/*' : 'all');
    put(subject.base, Object.fromEntries(names.map((name) => [name, oddBytes(next)])));
    for (let round = 0; round < 5; round++) {
      clockMoved(subject.base);
      await subject.check({ paranoid: next() % 4 === 0, ...(next() % 4 === 0 && { now: Date.now }) });
      clockMoved(subject.base);
      for (let count = next() % 5; count >= 0; count--) subject.happen(next);
    }
  }
});

test.run();
