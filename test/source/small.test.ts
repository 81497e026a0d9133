import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cutAll } from '../../src/base/cut.ts';
import { digestBytes, digestHex } from '../../src/base/digest.ts';
import { completedBytes, readSmallFile, type SmallFile, SmallRun, smallFileU } from '../../src/source/small.ts';
import { chunkBytes, temporaryFolder } from './files.ts';

const test = suite('small files');
const path = join(temporaryFolder(), 'a.jsonl');

async function read(content: string | Uint8Array) {
  writeFileSync(path, content);
  const file = await readSmallFile(path, 4096);
  assert.ok(file);
  return file as NonNullable<typeof file>;
}

const facts = async (content: string) => {
  const { records, addNewline } = await read(content);
  return [records, addNewline];
};

interface Named extends SmallFile {
  readonly bytes: Uint8Array;
}

function named(content: string): Named {
  const bytes = Buffer.from(content);
  const identity = { dev: 1n, ino: 1n, size: BigInt(bytes.length), mtimeNs: 0n, ctimeNs: 0n };
  const addNewline = bytes.length > 0 && !content.endsWith('\n');
  return { identity, digest: digestBytes(bytes), records: content.split('\n').length - 1, addNewline, bytes };
}

async function chunksOf(files: readonly Named[], options: { held?: boolean; known?: () => Uint8Array } = {}) {
  const reads: Named[] = [];
  const run = new SmallRun<Named>({
    target: chunkBytes,
    known: () => options.known?.(),
    read: async (file) => {
      reads.push(file);
      return file.bytes;
    },
  });
  for (const file of files) await run.add(file, options.held ? file.bytes : undefined);
  await run.end();
  return { chunks: run.chunks, reads };
}

const content = fc
  .tuple(fc.integer({ min: 0, max: 2500 }), fc.nat(), fc.constantFrom('', '\n', 'é'))
  .map(([length, salt, end]) => (length === 0 ? '' : `${salt}`.padEnd(length, 'a\n') + end));
const contents = fc.array(content, { minLength: 1, maxLength: 60, size: 'max' });

test('a file has a record for each newline, and one for a last line without', async () => {
  assert.equal(await facts('a\nb\n'), [2, false]);
  assert.equal(await facts('a\nb'), [2, true]);
  assert.equal(await facts(''), [0, false]);
  assert.equal(await facts('\n\n'), [2, false]);
});

test('the first 32 bits of a file digest are its record hash', async () => {
  const file = await read('a\nb');
  assert.is(smallFileU(file), Number.parseInt(digestHex('a\nb').slice(0, 8), 16));
  assert.is(completedBytes(file), 4);
});

test('a file that has grown beyond the limit is not small', async () => {
  writeFileSync(path, 'x'.repeat(4095));
  assert.ok(await readSmallFile(path, 4096));
  appendFileSync(path, 'x');
  assert.is(await readSmallFile(path, 4096), undefined);
});

test('files are cut as records are, and a chunk is named by its files, each completed with a newline', async () => {
  await fc.assert(
    fc.asyncProperty(contents, fc.boolean(), async (list, held) => {
      const files = list.map(named);
      const solid = files.filter((file) => file.bytes.length > 0);
      const { chunks } = await chunksOf(files, { held });
      const ends = cutAll(solid.map(completedBytes), solid.map(smallFileU), chunkBytes);
      assert.equal(
        chunks.map((chunk) => chunk.files),
        ends.map((end, i) => solid.slice(ends[i - 1] ?? 0, end)),
      );
      for (const { files: members, digest } of chunks) {
        const joined = Buffer.concat(members.map((file) => Buffer.from(file.bytes.toString() + (file.addNewline ? '\n' : ''))));
        assert.is(Buffer.from(digest).toString('hex'), digestHex(joined));
      }
    }),
    { numRuns: 60 },
  );
});

test('files that were read just now are not read again; of a known chunk none is', async () => {
  const files = Array.from({ length: 50 }, (_, i) => named(`${'v'.repeat(i * 9)}${i}`));
  assert.is((await chunksOf(files, { held: true })).reads.length, 0);
  assert.is((await chunksOf(files)).reads.length, 50);
  const digest = digestBytes(Buffer.from('known'));
  const { chunks, reads } = await chunksOf(files, { known: () => digest });
  assert.equal([reads.length, chunks.every((chunk) => chunk.digest === digest)], [0, true]);
});

test('empty files are part of no chunk', async () => {
  assert.equal((await chunksOf([named(''), named('')])).chunks, []);
  assert.is((await chunksOf([named(''), named('a'), named('')])).chunks[0]?.files.length, 1);
});

test.run();
