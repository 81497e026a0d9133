// time limit: 300 s
import { appendFileSync, closeSync, openSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scanFile } from '../../src/source/scan-file.ts';
import { readSegments } from '../../src/source/segments.ts';
import { someLines, temporaryFolder } from './files.ts';

const test = suite('files over 4 GiB');

const holeBytes = 4.5 * 2 ** 30;
const chunkBytes = 8 * 1024 * 1024;

test('a record of 4.5 GiB is a chunk of its own, and lines behind it lie where the table says', async () => {
  const path = join(temporaryFolder(), 'large.jsonl');
  const tail = someLines(30_000_000, 1);
  writeFileSync(path, 'first\n');
  truncateSync(path, holeBytes);
  appendFileSync(path, `\n${tail}`);
  const residentBefore = process.memoryUsage.rss();
  const { identity, chunks } = await scanFile({ path, chunkBytes });
  assert.ok(process.memoryUsage.rss() - residentBefore < 400e6, 'memory grew with the file');
  assert.equal([...chunks.ends.slice(0, 2)], [6, holeBytes + 1]);
  assert.equal([...chunks.records.slice(0, 2)], [1, 1]);
  assert.is(chunks.ends.at(-1), statSync(path).size);
  const [offset, end] = chunks.ends.slice(-2) as unknown as [number, number];
  const last = readSegments([{ path, offset, length: end - offset, addNewline: false }]);
  assert.is(Buffer.from(last).toString(), tail.slice(offset - end));

  const known = { size: Number(identity.size), chunks };
  const fd = openSync(path, 'r+');
  writeSync(fd, '#', holeBytes + 10);
  closeSync(fd);
  const edited = await scanFile({ path, chunkBytes, known });
  assert.equal(edited.chunks.ends, chunks.ends);
  assert.equal(
    [...edited.chunks.xxh64s].flatMap((xxh64, i) => (xxh64 === chunks.xxh64s[i] ? [] : [i])),
    [2],
  );
  assert.ok(edited.namedBytes <= 2 * chunkBytes, `${edited.namedBytes} bytes named`);
});

test.run();
