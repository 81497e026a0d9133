import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadChecksum } from '../../src/source/checksum.ts';
import type { ChunkColumns } from '../../src/source/chunks.ts';
import { readUnchanged } from '../../src/source/open.ts';
import { type KnownChunks, type Rescan, rescan } from '../../src/source/rescan.ts';

/** Small enough that a few hundred KB take every branch of the rule. */
export const chunkBytes = 8192;

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of this test file, gone when its process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-source-'));
  folders.push(folder);
  return folder;
}

export function put(folder: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** mulberry32: the same numbers in every run. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** JSONL of about `bytes` bytes; lines of up to 600 bytes, no two alike. */
export function someLines(bytes: number, seed: number): string {
  const next = numbers(seed);
  const lines: string[] = [];
  for (let size = 0; size < bytes; size += (lines.at(-1) as string).length) {
    lines.push(`{"id":${next()},"text":"${'x'.repeat(next() % 600)}"}\n`);
  }
  return lines.join('');
}

/** Scans a file in one go. */
export async function scan(path: string, known?: KnownChunks): Promise<Rescan & { readBytes: number; size: number }> {
  const checksum = await loadChecksum();
  const { value } = await readUnchanged(path, (file) => {
    const steps = rescan(file, chunkBytes, { known, checksum });
    for (let readBytes = 0; ; ) {
      const step = steps.next();
      if (step.done) return { ...step.value, readBytes, size: file.size };
      readBytes += step.value;
    }
  });
  return value;
}

/** The columns as rows that can be compared and read. */
export function rowsOf(chunks: ChunkColumns): string[] {
  return Array.from(chunks.ends, (end, i) => {
    const digest = Buffer.from(chunks.digests.subarray(i * 32, i * 32 + 32)).toString('hex');
    return `${end} ${chunks.records[i]} ${chunks.xxh64s[i]} ${digest} ${chunks.us[i]} ${chunks.decidedAts[i]}`;
  });
}
