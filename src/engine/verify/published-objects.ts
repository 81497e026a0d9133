import type { BucketDestination } from '../../publish/bucket/bucket-destination.ts';
import type { OwnObject } from '../../publish/bucket/state.ts';
import { openBucket } from '../destinations.ts';
import type { Project } from '../project.ts';
import { inOrder } from './in-order.ts';
import type { Tell, VerifyFinding } from './items.ts';
import type { LastResult } from './last-results.ts';
import { ofPlace, type PublishedPlace, placesOf, tellOfState } from './published-files.ts';

/** Objects that are read at once: their bytes are hashed as they come. */
const lanes = 8;

const sentAgain = 'Build: it is sent again.';

const findings: Readonly<Record<'missing' | 'changed' | 'damaged', Pick<VerifyFinding, 'code' | 'message' | 'hint'>>> = {
  missing: { code: 'missing-file', message: 'this published object is gone', hint: sentAgain },
  changed: {
    code: 'changed-file',
    message: 'this object is not the one that was published: somebody replaced it',
    hint: 'Move it away and build, or build with --overwrite.',
  },
  damaged: {
    code: 'damaged-file',
    message: 'the bucket gives other bytes than were published',
    hint: 'Move it away and build: it is sent again.',
  },
};

type Target = { readonly target: string };

export interface ObjectsLook {
  /** List them only: their ETags tell whether somebody replaced them. */
  readonly quick: boolean;
  readonly tell: Tell;
  progress(bytes: number, total: number): void;
}

/** Reads the objects of ours in buckets, and tells which are gone, replaced or damaged. @returns how many were read, and their bytes. */
export async function lookAtObjects(
  project: Project,
  results: readonly LastResult[],
  look: ObjectsLook,
): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0];
  for (const place of placesOf(project, results, 'buckets')) {
    const destination = await openBucket(project, place.out);
    try {
      const read = await lookAtPlace(destination, place, { ...look, signal: project.signal });
      files += read.length;
      bytes += read.reduce((sum, object) => sum + object.bytes, 0);
    } finally {
      destination.close();
    }
  }
  return { files, bytes };
}

/** @returns the objects that were read. */
async function lookAtPlace(
  destination: BucketDestination,
  place: PublishedPlace,
  { quick, tell, progress, signal }: ObjectsLook & { signal: AbortSignal },
): Promise<readonly OwnObject[]> {
  const { missing, changed, unchanged, isUnfinished } = await destination.standing();
  tellOfState(place, { files: [...changed, ...unchanged], where: place.out, isUnfinished }, tell);
  const found = (is: keyof typeof findings, { name, target }: OwnObject & Target): void =>
    tell({ type: 'finding', ...findings[is], target, where: `${place.out}/${name}` });
  for (const object of ofPlace(place, missing)) found('missing', object);
  for (const object of ofPlace(place, changed)) found('changed', object);
  const toRead = quick ? [] : ofPlace(place, unchanged);
  const total = toRead.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const came = (bytes: number): void => {
    done += bytes;
    progress(done, total);
  };
  await inOrder(toRead, {
    lanes,
    signal,
    work: (object) => destination.read(object, came),
    told: (is, object) => {
      if (is !== 'whole') found(is, object);
    },
  });
  return toRead;
}
