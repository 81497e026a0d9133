/**
 * Packed rows to a Parquet shard: dsbuild's own writer beside pyarrow's, in millions of tokens per second of CPU time.
 * Usage: npx tsx test/bench/parquet.ts [file of int32 ids]...   (without files: made-up ids)
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Codec } from '../../rules/lib/parquet/format.ts';
import { encodeRowGroupPart } from '../../rules/lib/parquet/part.ts';
import { encodeRowGroup } from '../../rules/lib/parquet/rowgroup.ts';
import { writeShard } from '../../rules/lib/parquet/shard.ts';
import { python, runPython } from '../python.ts';

const maxSeqLength = 2048;
const rowsPerGroup = 1000;
const tokensMade = 20_000_000;
const rounds = 3;

interface Measured {
  cpuSeconds: number;
  bytes: number;
}

/** The same numbers on every run (xorshift), from 0 up to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

/** Rare ids are rare: the cube of a random number. No two neighbours depend on each other, which real text has. */
function skewedIds(): Int32Array {
  const random = randomNumbers(1);
  return Int32Array.from({ length: tokensMade }, () => {
    const x = random();
    return Math.floor(50_257 * x * x * x);
  });
}

/** All ids are as likely: nothing repeats. */
function uniformIds(): Int32Array {
  const random = randomNumbers(2);
  return Int32Array.from({ length: tokensMade }, () => Math.floor(50_257 * random()));
}

/** Phrases that come back, half of them rare, between words that do not. */
function phrasedIds(): Int32Array {
  const random = randomNumbers(3);
  const ids = skewedIds();
  for (let at = 40; at + 40 < ids.length; ) {
    const length = 2 + Math.floor(random() * 6);
    const back = 1 + Math.floor(random() * random() * Math.min(at - 10, 30_000));
    ids.copyWithin(at, at - back, at - back + length);
    at += length + Math.floor(random() * 8);
  }
  return ids;
}

function encodeShard(ids: Int32Array, codec: Codec, path: string): void {
  const groups = function* (): Generator<Uint8Array> {
    for (let start = 0; start < ids.length; start += rowsPerGroup * maxSeqLength) {
      const group = ids.subarray(start, start + rowsPerGroup * maxSeqLength);
      const rows = group.length / maxSeqLength;
      const packed = {
        rows,
        maxSeqLength,
        ids: group,
        realLengths: new Uint32Array(rows).fill(maxSeqLength),
        documentEnds: new Uint32Array(),
      };
      yield encodeRowGroupPart(encodeRowGroup({ ...packed, labels: 'shifted', acrossDocuments: true, codec }));
    }
  };
  const file = openSync(path, 'w');
  writeShard(groups(), (bytes) => void writeSync(file, bytes), { keyValues: {} });
  closeSync(file);
}

/** The best of some rounds: the others waited for memory, or for the compiler. */
function measureOwn(ids: Int32Array, codec: Codec, path: string): Measured {
  const runs = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    encodeShard(ids, codec, path);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return { cpuSeconds: Math.min(...runs), bytes: statSync(path).size };
}

function print(name: string, tokens: number, { cpuSeconds, bytes }: Measured): void {
  const speed = (tokens / 1e6 / cpuSeconds).toFixed(1).padStart(6);
  console.log(`${name.padEnd(34)} ${speed} Mtok/cpu-s  ${(bytes / tokens).toFixed(3)} bytes/token  ${(bytes / 1e6).toFixed(1)} MB`);
}

function compare(name: string, allIds: Int32Array, folder: string): void {
  const ids = allIds.subarray(0, Math.floor(allIds.length / maxSeqLength) * maxSeqLength);
  const out = join(folder, 'shard.parquet');
  for (const codec of ['snappy', 'none'] as const) print(`${name}, ${codec}: dsbuild`, ids.length, measureOwn(ids, codec, out));
  const interpreter = python('pyarrow');
  if (interpreter === undefined) return;
  const raw = join(folder, 'ids');
  writeFileSync(raw, new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  const peer = runPython(interpreter, 'bench_pyarrow.py', [raw, String(maxSeqLength), String(rowsPerGroup), out]);
  const { snappy, none } = peer as { snappy: Measured; none: Measured };
  print(`${name}, snappy: pyarrow`, ids.length, snappy);
  print(`${name}, none: pyarrow`, ids.length, none);
}

const folder = mkdtempSync(join(tmpdir(), 'dsbuild-bench-'));
try {
  const files = process.argv.slice(2);
  for (const path of files) compare(basename(path), new Int32Array(new Uint8Array(readFileSync(path)).buffer), folder);
  if (files.length === 0) {
    compare('phrases', phrasedIds(), folder);
    compare('skewed', skewedIds(), folder);
    compare('uniform', uniformIds(), folder);
  }
} finally {
  rmSync(folder, { recursive: true });
}
