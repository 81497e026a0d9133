import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { isWhole } from '../cache/part-reader.ts';
import type { Location } from '../cache/store.ts';
import type { BuildRun } from './build-run.ts';

/** Takes damaged bytes out of the store and says so: then they are missing, and made again. False when they are whole or lie elsewhere. */
export function removeDamaged(run: BuildRun, digest: Digest, location: Location): boolean {
  const { store } = run.project;
  const where = location[0]?.path ?? '';
  if (!where.startsWith(store.dir) || isWhole(digest, location)) return false;
  store.remove(digest);
  run.warn({
    code: 'corrupt-store',
    message: `the store held damaged bytes for ${digest.slice(0, 12)}; they are made again`,
    where,
  });
  return true;
}

/** Bytes outside of the store are no longer those that were planned with. Whoever plans again reads these files, whatever their times say. */
export function sourceChanged(run: BuildRun, paths: readonly string[]): BuildError {
  for (const path of paths) run.doubted.add(path);
  const [where = ''] = paths;
  return new BuildError('source-changed', { message: 'the file was edited while it was built from', where });
}
