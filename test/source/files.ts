import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

const nobody = 65534;

/** Runs as somebody who may not read everything, also where the tests are run by root. */
export async function unprivileged(folder: string, run: () => Promise<void> | void): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  chmodSync(folder, 0o777);
  if (isRoot) process.seteuid?.(nobody);
  try {
    await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
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

const bom = Buffer.from([0xef, 0xbb, 0xbf]);

/** Lines that are hard on a scanner, by their kind: all alike, periodic, empty, tiny, with NULs, of any bytes, far too long, of the edges of the hash. */
const oddLines: readonly ((next: () => number, i: number) => Uint8Array | string)[] = [
  () => 'all alike',
  (_, i) => 'p'.repeat([3, 70, 200][i % 3] as number),
  () => '',
  (next) => 'x'.repeat(next() % 3),
  (next) => Buffer.alloc(next() % 300),
  (next) => Buffer.from(Array.from({ length: next() % 100 }, () => next() & 255)),
  (next) => 'L'.repeat(next() % 40_000),
  (next) => 'm'.repeat(254 + (next() % 4)),
  (next) => Buffer.concat([bom, Buffer.from(String(next()))]),
];

/** Sizes beside those at which a file stops being small, and a chunk must end. */
const edgeSizes = [0, 1, 3, 4095, 4096, 4097, 8191, 8192, 16_383, 16_384, 16_385, 50_000];

/** A file's bytes: odd or plain lines, Unix or Windows ends, perhaps a byte order mark, perhaps no last newline. */
export function oddBytes(next: () => number): Buffer {
  const line = oddLines[next() % (oddLines.length + 4)] ?? ((n) => someLines(1, n()).trimEnd());
  const size = edgeSizes[next() % edgeSizes.length] as number;
  const newline = Buffer.from(next() % 3 === 0 ? '\r\n' : '\n');
  const pieces: Uint8Array[] = next() % 4 === 0 ? [bom] : [];
  for (let i = 0, bytes = 0; bytes < size; i++) {
    const piece = Buffer.from(line(next, i));
    pieces.push(piece, newline);
    bytes += piece.length + newline.length;
  }
  const bytes = Buffer.concat(pieces);
  return Buffer.from(next() % 2 === 0 ? bytes : bytes.subarray(0, size));
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
