import type { SourceFormat } from '../../src/rule/source.ts';
import type { Pieces } from './byte-reader.ts';
import { loadZstd, zstdUse } from './zstd.ts';

/** Contents of one zstd frame: a frame is made in memory as a whole. */
const frameBytes = 8 * 1024 * 1024;
/** What fflate is given at a time; its output depends on it. */
const gzipBytes = 1024 * 1024;
const gzipLevel = 6;
const zstdLevel = 3;

/** Libraries whose version shapes the compressed bytes, for the `uses` of a step that compresses. */
export const compressUses: readonly string[] = ['fflate@0.8.3', zstdUse];

/**
 * The opposite of `decompress`: bytes that depend on the contents alone, not on how they are cut, the platform or the version of Node.
 * node:zlib is not used because a Node that is linked against another zlib gives other bytes.
 * gzip: one member, level 6, no name, time 0. zstd: level 3, one frame per 8 MiB of contents; no contents are one empty frame.
 *
 * Cost per second of one core, in plain bytes: gzip 35 MB, zstd 240 MB. Memory: 1 and 25 MiB.
 */
export function compress(format: SourceFormat, pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  switch (format) {
    case 'jsonl':
      return plain(pieces);
    case 'jsonl.gz':
      return gzip(pieces);
    case 'jsonl.zst':
      return zstd(pieces);
  }
}

async function* plain(pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

async function* gzip(pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  const { Gzip } = await import('fflate');
  let packed: Uint8Array[] = [];
  const stream = new Gzip({ level: gzipLevel, mtime: 0 }, (bytes) => packed.push(bytes));
  for await (const { bytes, last } of blocks(pieces, gzipBytes)) {
    stream.push(bytes, last);
    yield* packed;
    packed = [];
  }
}

async function* zstd(pieces: Pieces): AsyncGenerator<Uint8Array, void> {
  const { compress: compressFrame } = await loadZstd();
  for await (const { bytes } of blocks(pieces, frameBytes)) yield compressFrame(bytes, zstdLevel);
}

/** The same bytes in blocks of equal length; the last one may be shorter, and is empty only when there are no bytes at all. */
async function* blocks(pieces: Pieces, length: number): AsyncGenerator<{ bytes: Uint8Array; last: boolean }, void> {
  let block = Buffer.allocUnsafeSlow(length);
  let used = 0;
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      if (used === length) {
        yield { bytes: block, last: false };
        block = Buffer.allocUnsafeSlow(length);
        used = 0;
      }
      const part = piece.subarray(from, from + length - used);
      block.set(part, used);
      used += part.length;
      from += part.length;
    }
  }
  yield { bytes: block.subarray(0, used), last: true };
}
