/**
 * Local sources: a scan of 1 GB, a rescan after one edit, and a build with nothing to do over 100,000 files.
 * Usage: node --expose-gc --import tsx test/bench/scan.ts [MB] [files]
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalSources, scanLocal } from '../../src/source/local.ts';
import { scanFile } from '../../src/source/scan-file.ts';
import { numbers } from '../source/files.ts';

const bytesWanted = Number(process.argv[2] ?? 1000) * 1e6;
const filesWanted = Number(process.argv[3] ?? 100_000);
const rounds = 3;
const folder = mkdtempSync(join(tmpdir(), 'dsbuild-bench-'));
const later = (): number => Date.now() + 3_600_000;

/** Lines of 100 to 8,000 bytes, 4 KB on average: as in the corpus that the rule was chosen with. */
function writeLines(path: string): void {
  const next = numbers(1);
  const text = Array.from({ length: 8000 }, () => String.fromCharCode(97 + (next() % 26))).join('');
  const fd = openSync(path, 'w');
  for (let written = 0; written < bytesWanted; ) {
    let block = '';
    while (block.length < 4e6) block += `{"id":${next()},"text":"${text.slice(0, 100 + (next() % 7900))}"}\n`;
    written += writeSync(fd, block);
  }
  closeSync(fd);
}

function overwriteMiddle(path: string): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, '#', Math.floor(bytesWanted / 2));
  closeSync(fd);
}

async function timed<T>(what: string, run: () => Promise<T>, say: (value: T, tookMs: number) => string): Promise<T> {
  const startedAt = performance.now();
  const value = await run();
  console.log(`${what.padEnd(34)} ${say(value, performance.now() - startedAt)}`);
  return value;
}

const rate = (tookMs: number): string => `${(bytesWanted / 1e3 / tookMs).toFixed(0)} MB/s`;

async function benchScan(): Promise<void> {
  const path = join(folder, 'big.jsonl');
  writeLines(path);
  const chunkBytes = 8 * 1024 * 1024;
  const job = { path, chunkBytes };
  const clean = () =>
    timed(
      'scan',
      () => scanFile(job),
      ({ chunks }, ms) => `${rate(ms)}, ${chunks.ends.length} chunks`,
    );
  let first = await clean();
  for (let round = 1; round < rounds; round++) first = await clean();
  const known = { size: Number(first.identity.size), chunks: first.chunks };
  const again = (what: string) =>
    timed(
      what,
      () => scanFile({ ...job, known }),
      ({ namedBytes }, ms) => `${rate(ms)}, ${(namedBytes / 1e6).toFixed(1)} MB named`,
    );
  for (let round = 0; round < rounds; round++) await again('rescan, unchanged');
  overwriteMiddle(path);
  for (let round = 0; round < rounds; round++) await again('rescan after one edit');
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
}

async function benchNothingToDo(): Promise<void> {
  const base = join(folder, 'many');
  for (let i = 0; i < filesWanted; i++) {
    const part = join(base, `part-${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(part, { recursive: true });
    writeFileSync(join(part, `document-${i}.jsonl`), `{"id":${i}}\n`);
  }
  const sources = [{ group: 'all', patterns: ['**/*.jsonl'], base }];
  const scan = (): Promise<LocalSources> => scanLocal({ sources, tableFile: join(folder, 'table.bin'), now: later });
  await timed(`first scan, ${filesWanted} files`, scan, ({ chunkCount }, ms) => `${ms.toFixed(0)} ms, ${chunkCount} chunks`);
  for (let round = 0; round < rounds + 2; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage();
    await timed(`nothing to do, ${filesWanted} files`, scan, ({ unchanged }, ms) => {
      const after = process.memoryUsage();
      const heap = (after.heapUsed - before.heapUsed + after.external - before.external) / 1e6;
      return `${ms.toFixed(0)} ms, unchanged: ${unchanged}, ${heap.toFixed(0)} MB more heap and buffers`;
    });
  }
}

try {
  await benchScan();
  await benchNothingToDo();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
