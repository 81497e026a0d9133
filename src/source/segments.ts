import { closeSync } from 'node:fs';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import { openFile } from '../base/files.ts';
import { readAt } from './open.ts';

/** A piece of a chunk: `[offset, offset + length)` of a file. */
export interface Segment {
  /** Absolute. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** A newline follows that the file lacks. */
  readonly addNewline: boolean;
}

function openSegment(path: string): number | undefined {
  try {
    return openFile(path);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw new BuildError('source-unreadable', {
      message: `the file can not be read: ${messageOf(cause)}`,
      where: path,
      hint: 'Check its permissions.',
      cause,
    });
  }
}

/** @returns how many bytes were read: fewer than there should be if the file was cut short or is gone. */
function readSegment({ path, offset, length }: Segment, into: Uint8Array): number {
  const fd = openSegment(path);
  if (fd === undefined) return 0;
  try {
    return readAt({ fd, path, size: offset + length }, into.subarray(0, length), offset);
  } finally {
    closeSync(fd);
  }
}

/**
 * The bytes of a chunk. They are those that the files hold now: the caller hashes them and compares with the chunk's digest. Of a file that
 * was cut short or is gone, fewer bytes come back, so that a changed source is always noticed in this one way.
 *
 * @throws {BuildError} `source-unreadable` if a file can not be opened or read for another reason.
 */
export function readSegments(segments: readonly Segment[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(segments.reduce((sum, segment) => sum + segment.length + (segment.addNewline ? 1 : 0), 0));
  let at = 0;
  for (const segment of segments) {
    at += readSegment(segment, bytes.subarray(at));
    if (segment.addNewline) bytes[at++] = 10;
  }
  return bytes.subarray(0, at);
}
