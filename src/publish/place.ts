import {
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { uniqueName } from '../base/files.ts';
import { isWhole, mismatch, readPieces } from '../cache/part-reader.ts';
import type { Location, Store } from '../cache/store.ts';
import { assertBelow } from './refusals.ts';

/** A name from a rule, an archive or a listing must stay below `out`, whatever it holds; symbolic links on the way count. */
export function pathBelow(out: string, name: string): string {
  assertBelow(out, name);
  const parts = name.split('/');
  let folder = out;
  assertFolder(folder);
  for (const part of parts.slice(0, -1)) {
    folder = join(folder, part);
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new BuildError('bad-name', {
        message: `${folder} is a symbolic link: publishing through it could write elsewhere`,
        where: out,
      });
    }
    assertFolder(folder);
  }
  if (lstatSync(join(out, name), { throwIfNoEntry: false })?.isDirectory()) throw inTheWay(join(out, name), 'a folder');
  return join(out, name);
}

const inTheWay = (path: string, what: string): BuildError =>
  new BuildError('edited', {
    message: `${what} lies where something else is to be published`,
    where: path,
    hint: 'Move it away, or publish elsewhere.',
  });

function assertFolder(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory()) throw inTheWay(path, 'a file');
}

/** Keeps the bytes that lie at `path` in the store before something else takes their place: going back to them then costs no step. */
export function keepOld(path: string, digest: Digest, store: Store): void {
  if (store.locate(digest)) return;
  try {
    // For a moment only: the name in `out` goes on to another file.
    store.linkIn(path, digest);
  } catch (error) {
    // Someone may also have taken it away meanwhile.
    if (!['EXDEV', 'EPERM', 'EEXIST', 'ENOTSUP', 'EMLINK', 'ENOENT'].includes(systemCodeOf(error) ?? '')) throw error;
  }
}

/** Takes a file out of the folder, back into the store. */
export function unpublish(path: string, digest: Digest, store: Store): void {
  if (store.locate(digest)) return rmSync(path, { force: true });
  try {
    store.moveIn(path, digest);
  } catch (error) {
    if (!['EXDEV', 'ENOENT'].includes(systemCodeOf(error) ?? '')) throw error;
    rmSync(path, { force: true });
  }
}

/** Takes away the folders below `out` that this file was the last in: who lists splits by their folders would find some without shards. */
export function removeEmptied(out: string, name: string): void {
  const parents = name.split('/').slice(0, -1);
  for (let depth = parents.length; depth > 0; depth--) {
    try {
      rmdirSync(join(out, ...parents.slice(0, depth)));
    } catch {
      // Something else lies in it, or it is a link or gone: all of that may stay as it is.
      return;
    }
  }
}

/** Name of a file that is about to be moved to its own name beside it. */
const temporaryName = (): string => `.${uniqueName('dsbuild')}.tmp`;
const isTemporary = (name: string): boolean => /^\.dsbuild-[\w-]+\.tmp$/.test(name);

/** Removes what a crash in the middle of a copy left in a folder. */
export function removeTemporaries(folder: string): void {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  for (const name of readdirSync(folder)) if (isTemporary(name)) rmSync(join(folder, name), { force: true });
}

/** Puts a blob at `path` in one move. A blob of its own in the store is renamed, so that it lies in one place; all else is copied first. */
export function placeBlob(path: string, blob: { digest: Digest; location: Location; store: Store; keepInStore: boolean }): void {
  const { digest, location, store, keepInStore } = blob;
  mkdirSync(dirname(path), { recursive: true });
  const [only] = location;
  const own = location.length === 1 && only?.path === store.path(digest);
  if (own && !keepInStore) {
    try {
      return store.moveOut(digest, path);
    } catch (error) {
      if (systemCodeOf(error) !== 'EXDEV') throw error;
    }
  }
  const temporary = join(dirname(path), temporaryName());
  try {
    copyBlob(temporary, digest, location);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (own && !keepInStore) store.remove(digest);
}

function copyBlob(to: string, digest: Digest, location: Location): void {
  const [only] = location;
  if (location.length === 1 && only?.offset === 0 && !only.addNewline && lstatSync(only.path).size === only.length) {
    copyFileSync(only.path, to, constants.COPYFILE_FICLONE);
    if (!isWhole(digest, [{ path: to, offset: 0, length: only.length }])) throw mismatch(only.path);
    return;
  }
  writeFileSync(to, '');
  for (const piece of readPieces(digest, location)) writeFileSync(to, piece, { flag: 'a' });
}
