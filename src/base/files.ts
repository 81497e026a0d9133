import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { BuildError, systemCodeOf } from './errors.ts';

let counter = 0;

/** A file name that no other process, worker thread or call uses. */
export const uniqueName = (prefix: string): string => `${prefix}-${process.pid}-${threadId}-${Date.now().toString(36)}-${counter++}`;

/** Writes all bytes, also where the system takes fewer at a time. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Replaces a file as a whole: readers see the old or the new one, also after a crash. */
export function writeFileAtomic(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${uniqueName('tmp')}`);
  try {
    writeDurable(temporary, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeDurable(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'wx');
  try {
    writeAll(fd, bytes);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What is free on the disk of a folder, for whoever is not root. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Not on every system. */
const { O_RDONLY, O_NONBLOCK = 0 } = constants;

/**
 * Opens a file to be read, and never waits: a named pipe has an end only when somebody writes to it, a device may have none. It is opened
 * before it is looked at, because what lay there when it was listed may have been replaced since.
 *
 * @throws {BuildError} `not-a-file` for what is neither a file nor a folder; else what the file system threw.
 */
export function openFile(path: string): number {
  const fd = openAtOnce(path);
  const stats = fstatSync(fd);
  if (stats.isFile() || stats.isDirectory()) return fd;
  closeSync(fd);
  throw notAFile(path, stats.isFIFO() ? 'a named pipe' : 'a device');
}

function openAtOnce(path: string): number {
  try {
    return openSync(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    throw systemCodeOf(error) === 'ENXIO' ? notAFile(path, 'a socket') : error;
  }
}

const notAFile = (path: string, what: string): BuildError =>
  new BuildError('not-a-file', {
    message: `it is ${what}, not a file`,
    where: path,
    hint: 'Put a file in its place, or name another one.',
  });

/** All bytes of a file. @throws as `openFile`. */
export function readFile(path: string): Buffer<ArrayBuffer> {
  const fd = openFile(path);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a file, or undefined when there is none. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names of what lies in a folder, in no order; none when there is no folder. */
export function namesIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The same for a folder of a cache: what can not be listed is as good as not there, and made again. */
export function namesIfReadable(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What tells that a file is still the one that was seen, without reading it. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export function identityOf(path: string): FileIdentity | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && { dev: stat.dev, ino: stat.ino, size: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs };
}

export const sameIdentity = (a: FileIdentity, b: FileIdentity): boolean =>
  a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
