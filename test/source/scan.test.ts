import { appendFileSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cut, Cutter } from '../../src/base/cut.ts';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { recordHash } from '../../src/base/record-hash.ts';
import { isRacy } from '../../src/source/identity.ts';
import { readUnchanged } from '../../src/source/open.ts';
import { scanFile } from '../../src/source/scan-file.ts';
import { chunkBytes, numbers, rowsOf, scan, someLines, temporaryFolder } from './files.ts';

const test = suite('scan');
const folder = temporaryFolder();
const path = join(folder, 'a.jsonl');

/** The chunks of `bytes` by the definition: all records at once, in memory. */
function chunksSlowly(bytes: Buffer): string[] {
  const cutter = new Cutter(chunkBytes);
  const cuts: Cut[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    cutter.push(end - at, recordHash(bytes.subarray(at, end)));
    for (let cut = cutter.take(); cut; cut = cutter.take()) cuts.push(cut);
    at = end;
  }
  const last = cutter.end();
  if (last) cuts.push(last);
  return cuts.map((cut, i) => {
    const digest = digestHex(bytes.subarray(cuts[i - 1]?.end ?? 0, cut.end));
    return `${cut.end} ${cut.items} ${digest} ${cut.u} ${cut.decidedAt}`;
  });
}

/** The same rows of a scan, without xxh64. */
const rowsWithoutChecksum = (rows: string[]): string[] => rows.map((row) => row.split(' ').toSpliced(2, 1).join(' '));

async function checkScan(bytes: Buffer): Promise<void> {
  writeFileSync(path, bytes);
  const { chunks } = await scan(path);
  assert.equal(rowsWithoutChecksum(rowsOf(chunks)), chunksSlowly(bytes));
}

test('a file is cut as its records are, whatever reads they come in', async () => {
  for (const seed of [1, 2, 3]) await checkScan(Buffer.from(someLines(500_000, seed)));
});

const line = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 0, max: 700 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 50_000 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);

test('records longer than a chunk, than two, and than the buffer are cut by the same rule', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.boolean(), fc.nat(), async (lengths, ended, seed) => {
      const next = numbers(seed);
      const lines = lengths.map((length) => String(next()).padEnd(length, 'y'));
      await checkScan(Buffer.from(lines.join('\n') + (ended ? '\n' : '')));
    }),
    { numRuns: 300 },
  );
});

test('a file without any newline is one record', async () => {
  await checkScan(Buffer.alloc(3_000_000, 'z'));
  const { chunks } = await scan(path);
  assert.equal([...chunks.records], [1]);
});

test('a last line without newline is a record', async () => {
  writeFileSync(path, 'one\ntwo\nthree');
  assert.equal([...(await scan(path)).chunks.records], [3]);
});

test('carriage returns, byte order marks, NULs and invalid UTF-8 are bytes like others', async () => {
  const odd = Buffer.from([0xef, 0xbb, 0xbf, 65, 13, 10, 0, 0, 10, 0xff, 0xfe, 0xc0, 10, 13, 13, 10]);
  await checkScan(Buffer.concat(Array.from({ length: 4000 }, () => odd)));
});

test('an empty file has no chunks', async () => {
  await checkScan(Buffer.alloc(0));
});

test('a file of nothing but newlines has a record for each', async () => {
  await checkScan(Buffer.alloc(100_000, 10));
  const { chunks } = await scan(path);
  assert.is(
    chunks.records.reduce((sum, records) => sum + records, 0),
    100_000,
  );
});

test('a file that is written to while it is read is read again', async () => {
  writeFileSync(path, 'one\n');
  let reads = 0;
  const { identity, value } = await readUnchanged(path, (file) => {
    if (reads++ < 2) appendFileSync(path, 'more\n');
    return file.size;
  });
  assert.equal([reads, value, Number(identity.size)], [3, 14, 14]);
});

test('a file that changes during each of three reads is an error that names it', async () => {
  writeFileSync(path, 'one\n');
  try {
    await readUnchanged(path, () => appendFileSync(path, 'more\n'));
    assert.unreachable();
  } catch (error) {
    assert.instance(error, BuildError);
    assert.equal([(error as BuildError).code, (error as BuildError).where], ['source-changing', path]);
  }
});

test('a file that is cut short while it is scanned is an error, not a shorter scan or a hang', async () => {
  writeFileSync(path, someLines(200_000, 1));
  const fd = openSync(path, 'r+');
  const truncating = async (): Promise<void> => {
    await readUnchanged(path, (file) => {
      ftruncateSync(fd, 0);
      writeSync(fd, `${file.size}\n`, 0);
      return scan(path);
    });
  };
  try {
    await truncating();
    assert.unreachable();
  } catch (error) {
    assert.is((error as BuildError).code, 'source-changing');
  }
});

test('a file that is gone or can not be read is an error of its own', async () => {
  const codeOf = async (place: string): Promise<string> => {
    try {
      await scanFile({ path: place, chunkBytes });
      return 'none';
    } catch (error) {
      return (error as BuildError).code;
    }
  };
  assert.is(await codeOf(join(folder, 'absent.jsonl')), 'source-gone');
  assert.is(await codeOf(folder), 'source-unreadable');
});

test('a job and its result survive a structured clone', async () => {
  writeFileSync(path, someLines(100_000, 4));
  const first = await scanFile({ path, chunkBytes });
  const known = { size: Number(first.identity.size), chunks: first.chunks };
  const again = structuredClone(await scanFile(structuredClone({ path, chunkBytes, known })));
  assert.equal(rowsOf(again.chunks), rowsOf(first.chunks));
  assert.is(again.namedBytes, 0);
});

test('a scan that is aborted throws the reason', async () => {
  const large = join(folder, 'large.jsonl');
  writeFileSync(large, Buffer.alloc(70 * 1024 * 1024, `${'w'.repeat(99)}\n`));
  const abort = new AbortController();
  const scanning = scanFile({ path: large, chunkBytes: 1024 * 1024 }, abort.signal);
  abort.abort(new Error('enough'));
  try {
    await scanning;
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
});

test('a file is racy when its times are within two seconds of the reading, or its change time is later', () => {
  const second = 1_000_000_000n;
  const racy = (mtime: bigint, ctime: bigint): boolean =>
    isRacy({ dev: 0n, ino: 0n, size: 0n, mtimeNs: mtime * second, ctimeNs: ctime * second }, 100_000);
  assert.equal([racy(50n, 50n), racy(97n, 97n), racy(99n, 50n), racy(50n, 99n)], [false, false, true, true]);
  assert.equal([racy(101n, 50n), racy(200n, 50n), racy(50n, 200n)], [true, false, true]);
});

test.run();
