/** Shards whose bytes went bad: what `verify`, `stats` and `head` read of them is told, or right. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measureShard } from '../../../rules/lib/measure.ts';
import { shardRows } from '../../../rules/lib/parquet/preview.ts';
import { ShardReader } from '../../../rules/lib/parquet/read-shard.ts';
import { BuildError } from '../../../src/base/errors.ts';
import { codecNames, columnsOf, fileOf, partOf, randomIds, rowsOf } from './parquet-rows.ts';

const test = suite('read-shard');

const folder = mkdtempSync(join(tmpdir(), 'dsbuild-shard-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'x.parquet');

const groups = [300, 1 << 22].map((below, i) => rowsOf(randomIds(32 * (3 + i), { seed: i + 1, below }), { maxSeqLength: 32, padding: i }));
const sound = Object.fromEntries(
  codecNames.map((codec) => [
    codec,
    Buffer.from(
      fileOf(
        groups.map((group) => partOf(group, { codec })),
        { name: 'x' },
      ),
    ),
  ]),
);

/** All that anybody reads of a shard, column by column. */
async function readAll(): Promise<Record<string, number[]>> {
  const columns: Record<string, number[]> = {};
  for await (const row of shardRows(path)) {
    for (const [name, values] of Object.entries(row)) columns[name] = [...(columns[name] ?? []), ...values];
  }
  const reader = new ShardReader(path);
  try {
    await measureShard(reader, 0);
  } finally {
    reader.close();
  }
  return columns;
}

const footerAt = (file: Buffer): number => file.length - 8 - file.readUInt32LE(file.length - 8);

type Edit = (file: Buffer) => Buffer;
/** Half of the bytes that change are the footer's, where one means most. */
const place = (file: Buffer, at: number, isFooter: boolean): number =>
  isFooter ? footerAt(file) + (at % (file.length - footerAt(file))) : at % file.length;
const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean()).map(
  ([at, by, isFooter]): Edit =>
    (file) => {
      const copy = Buffer.from(file);
      const i = place(file, at, isFooter);
      copy[i] = (copy[i] as number) ^ by;
      return copy;
    },
);
const cut = fc.nat().map(
  (at): Edit =>
    (file) =>
      file.subarray(0, at % file.length),
);
const cutMiddle = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 40 })).map(
  ([at, count]): Edit =>
    (file) =>
      Buffer.concat([file.subarray(0, at % file.length), file.subarray((at % file.length) + count)]),
);
const foreign = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()).map(
  ([bytes, isFramed]): Edit =>
    () => {
      const tail = Buffer.from('\0\0\0\0PAR1', 'latin1');
      tail.writeUInt32LE(bytes.length);
      return isFramed ? Buffer.concat([Buffer.from('PAR1'), bytes, tail]) : Buffer.from(bytes);
    },
);
const damage = fc.oneof(
  { arbitrary: fc.array(flip, { minLength: 1, maxLength: 3 }), weight: 8 },
  ...[cut, cutMiddle, foreign].map((one) => one.map((edit) => [edit])),
);

test('what is written is read back, for each codec', async () => {
  for (const file of Object.values(sound)) {
    writeFileSync(path, file);
    assert.equal(await readAll(), Object.fromEntries(Object.entries(columnsOf(groups)).map(([name, values]) => [name, [...values]])));
  }
});

test('a shard with bytes that are flipped, cut off or foreign is read, or refused as bad-part; with no more memory than its size tells', async () => {
  await fc.assert(
    fc.asyncProperty(damage, fc.constantFrom(...codecNames), async (edits, codec) => {
      writeFileSync(
        path,
        edits.reduce((file, edit) => edit(file), sound[codec] as Buffer),
      );
      try {
        await readAll();
      } catch (error) {
        assert.instance(error, BuildError, (error as Error).stack ?? '');
        assert.is((error as BuildError).code, 'bad-part');
      }
      assert.ok(process.memoryUsage().arrayBuffers < 150e6);
    }),
    { numRuns: 800 },
  );
});

test.run();
