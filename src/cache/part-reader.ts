import { closeSync, readSync } from 'node:fs';
import { createHasher, type Digest, digestHex } from '../base/digest.ts';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { openFile } from '../base/files.ts';
import type { Location, Segment } from './store.ts';

const pieceBytes = 4 * 1024 * 1024;
const newline = Buffer.from('\n');

function openThere(path: string): number {
  try {
    return openFile(path);
  } catch (error) {
    // Gone since it was located, or something else lies there: a source was moved, or another build published it.
    throw ['ENOENT', 'not-a-file'].includes(systemCodeOf(error) ?? '') ? mismatch(path) : error;
  }
}

function readSegment({ path, offset, length }: Segment, into: Buffer): void {
  const fd = openThere(path);
  try {
    for (let done = 0; done < length; ) {
      const read = readSync(fd, into, done, length - done, offset + done);
      if (read === 0) throw mismatch(path);
      done += read;
    }
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a part are not what its digest says: its source was edited, or the store is damaged. The engine tells which. */
export const mismatch = (path: string): BuildError =>
  new BuildError('part-mismatch', { message: 'the bytes on disk are not the ones that were planned with', where: path });

/** All bytes of a part. The buffer that is handed out is the buffer that was hashed. */
export function readPart(digest: Digest, location: Location): Buffer {
  const length = location.reduce((sum, segment) => sum + segment.length + (segment.addNewline ? 1 : 0), 0);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const segment of location) {
    readSegment(segment, bytes.subarray(at, at + segment.length));
    at += segment.length;
    if (segment.addNewline) bytes[at++] = 10;
  }
  if (digestHex(bytes) !== digest) throw mismatch(location[0]?.path ?? digest);
  return bytes;
}

/** The same, for what may be missing: undefined where the bytes are not there, not whole, or can not be read. */
export function readPartIfThere(digest: Digest, location: Location | undefined): Buffer | undefined {
  try {
    return location && readPart(digest, location);
  } catch (error) {
    if (error instanceof BuildError || systemCodeOf(error) !== undefined) return undefined;
    throw error;
  }
}

/** The bytes of a part that may be larger than memory. Its digest is checked at the end: until then nothing made of it may be kept. */
export function* readPieces(digest: Digest, location: Location): Generator<Buffer> {
  const hasher = createHasher();
  for (const segment of location) {
    for (const piece of segmentPieces(segment)) {
      hasher.update(piece);
      yield piece;
    }
    if (!segment.addNewline) continue;
    hasher.update(newline);
    yield newline;
  }
  if (hasher.digest().toString('hex') !== digest) throw mismatch(location[0]?.path ?? digest);
}

/** Whether the bytes that lie there are those of the digest; reads them all, piece by piece. */
export function isWhole(digest: Digest, location: Location): boolean {
  try {
    for (const _ of readPieces(digest, location));
    return true;
  } catch (error) {
    if (error instanceof BuildError && error.code === 'part-mismatch') return false;
    throw error;
  }
}

function* segmentPieces({ path, offset, length }: Segment): Generator<Buffer> {
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, length - at));
    readSegment({ path, offset: offset + at, length: piece.length }, piece);
    yield piece;
  }
}
