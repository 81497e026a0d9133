import { isRemote } from '../base/address.ts';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { Location } from '../cache/store.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { BucketDestination } from '../publish/bucket/bucket-destination.ts';
import type { BucketContext } from '../publish/bucket/context.ts';
import type { Destination } from '../publish/destination.ts';
import { hasJournal } from '../publish/journal.ts';
import type { BuildRun } from './build-run.ts';
import { removeDamaged } from './damage.ts';
import type { Project } from './project.ts';

/** What stands behind an `out`. */
export async function destinationOf(run: BuildRun, out: string): Promise<Destination> {
  return isRemote(out) ? bucketDestination(run, out) : folderDestination(run, out);
}

function folderDestination(run: BuildRun, out: string): Destination {
  const { stateDir, store } = run.project;
  return {
    isUpToDate(wanted) {
      const folder = run.published.get(out);
      return Promise.resolve(folder.wanted === wanted && folder.changed().length === 0 && !hasJournal(stateDir, out));
    },
    async publish(publication) {
      const { publish } = await import('../publish/publish.ts');
      const need = async (digest: Digest, target: string): Promise<void> => void (await needWhole(run, digest, target));
      const outcome = await publish({ stateDir, store, locations: run.locations, need, warn: (warning) => run.warn(warning) }, publication);
      run.published.forget(out);
      return outcome;
    },
    close: () => {},
  };
}

/**
 * A bucket's prefix as a build publishes there; nothing is asked of it yet.
 *
 * @throws {BuildError} `offline`
 */
export async function bucketDestination(run: BuildRun, out: string): Promise<BucketDestination> {
  if (run.options.offline) {
    throw new BuildError('offline', {
      message: 'nothing can be published there: --offline is given',
      where: out,
      hint: 'Give --no-publish as well, or build without --offline.',
    });
  }
  return openBucket(run.project, out, {
    locate: (digest, target) => needWhole(run, digest, target),
    warn: (warning) => run.warn(warning),
  });
}

const lookOnly: Pick<BucketContext, 'locate' | 'warn'> = {
  locate: (digest) => Promise.reject(new Error(`nobody is to send ${digest}`)),
  warn: () => {},
};

/** The same, without a build for whoever only looks at what is there. */
export async function openBucket({ env, signal, stateDir, emit }: Project, out: string, build = lookOnly): Promise<BucketDestination> {
  const [{ BucketDestination }, { Bucket }] = await Promise.all([
    import('../publish/bucket/bucket-destination.ts'),
    import('../s3/bucket.ts'),
  ]);
  return new BucketDestination({
    ...build,
    out,
    // It is the user's output, and not a cache: worth more patience.
    bucket: new Bucket({ address: out, env, signal, times: { triesMax: 6, giveUpMs: 60_000 } }),
    stateDir,
    signal,
    note: (message) => emit({ type: 'note', message }),
  });
}

/** Nothing is published that was damaged while it lay in the store. */
async function needWhole(run: BuildRun, digest: Digest, name: string): Promise<Location> {
  const { locations } = run;
  const { store, graph } = run.project;
  const target = graph.get(name) as GraphTarget;
  await run.needFor(digest, target);
  const location = store.isOwn(digest) ? undefined : locations.locate(digest);
  if (location && removeDamaged(run, digest, location)) await run.needFor(digest, target);
  const found = locations.locate(digest);
  if (found) return found;
  throw new BuildError('missing-bytes', { message: `the bytes of a file to be published are gone: ${digest.slice(0, 12)}`, where: name });
}
