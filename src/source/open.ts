import { closeSync, fstatSync, readSync } from 'node:fs';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import { type FileIdentity, openFile, sameIdentity } from '../base/files.ts';
import { identityFrom } from './identity.ts';

const triesMax = 3;
/** One read system call takes no more than 2 GiB. */
const readBytesMax = 1 << 30;

export interface OpenFile {
  readonly fd: number;
  readonly path: string;
  readonly size: number;
}

/** What was read of a file, and the identity that it kept all the while. */
export interface Bracketed<T> {
  readonly identity: FileIdentity;
  readonly value: T;
}

function unreadable(path: string, cause: unknown): BuildError {
  const code = systemCodeOf(cause);
  const gone = code === 'ENOENT' || code === 'not-a-file';
  const message =
    code === 'ENOENT'
      ? 'the file disappeared before it was read'
      : gone
        ? `what lies there was a file when it was listed: ${messageOf(cause)}`
        : `the file can not be read: ${messageOf(cause)}`;
  const hint = gone ? 'Build again when nothing moves files in this folder.' : 'Check its permissions, or leave it out of the patterns.';
  return new BuildError(gone ? 'source-gone' : 'source-unreadable', { message, where: path, hint, cause });
}

function openSource(path: string): number {
  try {
    return openFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Reads until `bytes` is full or the file ends. @returns how many bytes were read. */
export function readAt(file: OpenFile, bytes: Uint8Array, offset: number): number {
  let done = 0;
  try {
    while (done < bytes.length) {
      const count = readSync(file.fd, bytes, done, Math.min(bytes.length - done, readBytesMax), offset + done);
      if (count === 0) break;
      done += count;
    }
  } catch (cause) {
    throw unreadable(file.path, cause);
  }
  return done;
}

async function readOnce<T>(path: string, read: (file: OpenFile) => T | Promise<T>): Promise<Bracketed<T> | undefined> {
  const fd = openSource(path);
  try {
    const before = identityFrom(fstatSync(fd, { bigint: true }));
    const value = await read({ fd, path, size: Number(before.size) });
    const after = identityFrom(fstatSync(fd, { bigint: true }));
    return sameIdentity(before, after) ? { identity: after, value } : undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * Runs `read` on the open file, bracketed by fstat: its value counts only if the file was the same before and after.
 *
 * @throws {BuildError} `source-changing` after three tries; `source-gone`, `source-unreadable`.
 */
export async function readUnchanged<T>(path: string, read: (file: OpenFile) => T | Promise<T>): Promise<Bracketed<T>> {
  for (let tries = 0; tries < triesMax; tries++) {
    const result = await readOnce(path, read);
    if (result) return result;
  }
  throw new BuildError('source-changing', {
    message: `the file was written to while it was read, ${triesMax} times in a row`,
    where: path,
    hint: 'Build again when its writer is done, or write to another name and rename it into place.',
  });
}
