import { existsSync } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { isWhole, readPart } from '../cache/part-reader.ts';
import type { Location } from '../cache/store.ts';
import type { BuildRun } from './build-run.ts';

/** Bytes may be moved, to another pack or to `out`, between the look for them and the reading. */
const readTriesMax = 3;

/**
 * Takes damaged bytes out of the store and says so: then they are missing, and made again. Bytes that were collected or moved just now are no
 * longer there either. False when they are whole or lie elsewhere.
 */
export function removeDamaged(run: BuildRun, digest: Digest, location: Location): boolean {
  const { store } = run.project;
  const where = location[0]?.path ?? '';
  if (!where.startsWith(store.dir) || isWhole(digest, location)) return false;
  if (!existsSync(where)) return true;
  store.remove(digest);
  run.warn({
    code: 'corrupt-store',
    message: `the store held damaged bytes for ${digest.slice(0, 12)}; they are made again`,
    where,
  });
  return true;
}

/** All bytes of a part, wherever they lie; undefined when nobody has them, or the store had other ones. @throws {BuildError} `part-mismatch` */
export function readUndamaged(run: BuildRun, digest: Digest): Buffer | undefined {
  for (let tries = 0; ; tries++) {
    const location = run.locations.locate(digest);
    if (!location) return undefined;
    try {
      return readPart(digest, location);
    } catch (error) {
      const isMismatch = error instanceof BuildError && error.code === 'part-mismatch';
      if (!isMismatch || tries === readTriesMax || !removeDamaged(run, digest, location)) throw error;
    }
  }
}

/** Bytes outside of the store are no longer those that were planned with. Whoever plans again reads these files, whatever their times say. */
export function sourceChanged(run: BuildRun, paths: readonly string[]): BuildError {
  for (const path of paths) run.doubted.add(path);
  const [where = ''] = paths;
  return new BuildError('source-changed', { message: 'the file was edited while it was built from', where });
}
