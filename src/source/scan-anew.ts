import { setImmediate } from 'node:timers/promises';
import { BuildError } from '../base/errors.ts';
import { KnownSources } from './known.ts';
import { listSource, type SourceListing } from './list.ts';
import { ChangedMeanwhile, type RefreshOptions, refresh } from './refresh.ts';
import { type ScanFile, scanFile as scanHere } from './scan-file.ts';
import type { SourceTable } from './table.ts';

const triesMax = 3;

type AnewOptions = Omit<RefreshOptions, 'listings' | 'scanFile'> & {
  /** In this thread unless a pool does it. */
  readonly scanFile?: ScanFile;
};

interface Anew {
  readonly listings: readonly SourceListing[];
  readonly table: SourceTable;
}

const isPassing = (error: unknown): boolean =>
  error instanceof ChangedMeanwhile || (error instanceof BuildError && error.code === 'source-gone');

function stillChanging(error: unknown): BuildError {
  if (error instanceof BuildError) return error;
  return new BuildError('source-changing', {
    message: `a file changed during each of ${triesMax} scans of the sources`,
    ...(error instanceof ChangedMeanwhile && { where: error.path }),
    hint: 'Build again when its writer is done, or write to another name and rename it into place.',
    cause: error,
  });
}

/**
 * Lists and scans; once more if a file changed or went away in between. Lies apart from the question whether anything changed, which is all that
 * most builds ask.
 */
export async function scanAnew(options: AnewOptions, old: SourceTable | undefined): Promise<Anew> {
  const { scanFile = scanHere } = options;
  for (let tries = 1; ; tries++) {
    const listings = options.specs.map((spec) => listSource(spec));
    try {
      return { listings, table: await refresh({ ...options, scanFile, listings }, old && new KnownSources(old)) };
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (tries === triesMax) throw stillChanging(error);
      await setImmediate();
    }
  }
}
