import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KnownChunks } from '../../src/source/rescan.ts';
import { numbers, rowsOf, scan, someLines, temporaryFolder } from './files.ts';

const test = suite('rescan');
const path = join(temporaryFolder(), 'a.jsonl');

async function knownOf(bytes: string | Uint8Array): Promise<KnownChunks> {
  writeFileSync(path, bytes);
  const { chunks, size } = await scan(path);
  return { chunks, size };
}

/** Rescans the edited file and holds the result against a clean scan. */
async function checkRescan(known: KnownChunks, edited: Buffer) {
  writeFileSync(path, edited);
  const result = await scan(path, known);
  const clean = await scan(path);
  assert.equal(rowsOf(result.chunks), rowsOf(clean.chunks));
  return { ...result, chunkCount: clean.chunks.ends.length };
}

const splice = (bytes: Buffer, at: number, removed: number, added: string | Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), typeof added === 'string' ? Buffer.from(added) : added, bytes.subarray(at + removed)]);

type Next = () => number;

/** Some texts that are hard on a scanner: repeated, periodic, of one line, of long lines, of none. */
const contents: ((next: Next) => string)[] = [
  (next) => someLines(60_000 + (next() % 60_000), next()),
  (next) => someLines(60_000 + (next() % 60_000), next()),
  (next) => someLines(3000 + (next() % 12_000), next()).repeat(8),
  (next) => `${'p'.repeat(next() % 300)}\n`.repeat(200 + (next() % 400)),
  (next) => someLines(20_000, next()) + 'q'.repeat(next() % 40_000) + someLines(20_000, next()),
  (next) => 'r'.repeat(next() % 60_000),
];

const edits: ((bytes: Buffer, next: Next) => Buffer)[] = [
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), 0, someLines(next() % 900, next())),
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), 0, someLines(next() % 40_000, next())),
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), 1, String.fromCharCode(32 + (next() % 90))),
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), next() % 900, ''),
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), next() % 40_000, ''),
  (bytes, next) => splice(bytes, next() % (bytes.length + 1), 1, '\n'),
  (bytes, next) => Buffer.concat([bytes, Buffer.from(someLines(next() % 30_000, next()))]),
  (bytes, next) => Buffer.concat([bytes, Buffer.from('s'.repeat(next() % 500))]),
  (bytes, next) => bytes.subarray(0, next() % (bytes.length + 1)),
  (bytes, next) => {
    const from = next() % (bytes.length + 1);
    return splice(bytes, next() % (bytes.length + 1), 0, bytes.subarray(from, from + (next() % 30_000)));
  },
  (bytes) => bytes,
];

const pick = <T>(list: readonly T[], next: Next): T => list[next() % list.length] as T;

test('whatever is edited, a rescan gives what a clean scan gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 0xffffffff }), async (seed) => {
      const next = numbers(seed);
      let bytes = Buffer.from(pick(contents, next)(next));
      let known = await knownOf(bytes);
      for (let round = 0; round < 6; round++) {
        for (let edit = 1 + (next() % 2); edit > 0; edit--) bytes = Buffer.from(pick(edits, next)(bytes, next));
        const { chunks, size } = await checkRescan(known, bytes);
        known = { chunks, size };
      }
    }),
    { numRuns: 350 },
  );
});

test('a known state of any other file changes nothing', async () => {
  const known = await knownOf(someLines(100_000, 1));
  const { namedBytes, size } = await checkRescan(known, Buffer.from(someLines(100_000, 2)));
  assert.is(namedBytes, size);
});

test('an edit inside what a chunk looked ahead at cuts that chunk anew', async () => {
  const original = Buffer.from(someLines(3_000_000, 5));
  const known = await knownOf(original);
  const { ends, decidedAts } = known.chunks;
  const ahead = Array.from(ends.keys()).filter((i) => (decidedAts[i] as number) > (ends[i] as number));
  assert.ok(ahead.length >= 3, 'no chunk looked ahead');
  let cutElsewhere = 0;
  for (const chunk of ahead) {
    const start = (ends[chunk - 1] ?? 0) as number;
    const edited = splice(original, ends[chunk] as number, 0, `${'t'.repeat(3000)}\n`);
    const { chunks } = await checkRescan(known, edited);
    const now = chunks.ends.find((end) => end > start);
    if (now !== ends[chunk]) cutElsewhere++;
  }
  assert.ok(cutElsewhere > 0, 'no such edit moved the cut before it');
});

test('an unchanged file is not named again', async () => {
  const bytes = Buffer.from(someLines(500_000, 6));
  const { namedBytes, readBytes, size } = await checkRescan(await knownOf(bytes), bytes);
  assert.is(namedBytes, 0);
  assert.ok(readBytes < size * 1.1, `${readBytes} of ${size} bytes read`);
});

test('after an edit, an insertion or a deletion only the chunks that it touches are named', async () => {
  const original = Buffer.from(someLines(2_000_000, 7));
  const known = await knownOf(original);
  const next = numbers(8);
  let named = 0;
  for (let i = 0; i < 30; i++) {
    const at = original.indexOf(10, next() % (original.length - 1000)) + 1;
    const removed = original.indexOf(10, at) + 1 - at;
    const edited = [splice(original, at, 0, '{"new":1}\n'), splice(original, at, removed, ''), splice(original, at, 1, '#')][
      i % 3
    ] as Buffer;
    const { namedBytes, readBytes, size } = await checkRescan(known, edited);
    named += namedBytes;
    assert.ok(readBytes < size * 1.1, `${readBytes} of ${size} bytes read`);
  }
  assert.ok(named / 30 < 20_000, `${named / 30} bytes named for an edit`);
});

test('an append names the last chunk and what was appended', async () => {
  const original = someLines(1_000_000, 9);
  const known = await knownOf(original);
  const { namedBytes } = await checkRescan(known, Buffer.from(original + someLines(20_000, 10)));
  assert.ok(namedBytes < 20_000 + 3 * 16_384, `${namedBytes} bytes named`);
});

test('a last line that goes on is another record, even where its chunk had been closed', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const lines = someLines(9000 + seed * 50, seed).slice(0, -1);
    await checkRescan(await knownOf(lines), Buffer.from(`${lines} and on\n${someLines(9000, seed + 1)}`));
  }
});

test('a duplicated part takes its digests from the first', async () => {
  const bytes = Buffer.from(someLines(400_000, 12));
  const { namedBytes } = await checkRescan(await knownOf(bytes), Buffer.concat([bytes, bytes]));
  assert.ok(namedBytes < 50_000, `${namedBytes} bytes named`);
});

test.run();
