import { formatBytes } from '../../base/bytes.ts';
import { readPieces } from '../../cache/part-reader.ts';
import { S3Error } from '../../s3/bucket.ts';
import type { Sending } from './change.ts';
import type { BucketContext } from './context.ts';
import { sideBySide } from './side-by-side.ts';
import type { OwnObject } from './state.ts';

const sentAtOnce = 8;
const noteEveryMs = 10_000;
/** Parts of an upload that began so long ago are nobody's any more. */
const unfinishedMsMax = 24 * 3600 * 1000;

/** Somebody else writes behind the same prefix: what was seen of it is no longer so. */
export class Overtaken extends Error {}

/**
 * Sends files: what says that the others are there when they are.
 *
 * @throws {Overtaken} where an object is not what it was when the change was planned.
 */
export async function send(sending: readonly Sending[], context: BucketContext): Promise<OwnObject[]> {
  if (sending.length === 0) return [];
  await removeUnfinished(context);
  const sent: OwnObject[] = [];
  let noted = performance.now();
  const sendNext = async (file: Sending): Promise<void> => {
    sent.push(await sendOne(file, context));
    if (performance.now() - noted < noteEveryMs) return;
    noted = performance.now();
    const bytes = sent.reduce((sum, object) => sum + object.bytes, 0);
    context.note(`${context.out}: ${sent.length} of ${sending.length} files sent, ${formatBytes(bytes)}`);
  };
  const isFirst = ({ isLast }: Sending): boolean => !isLast;
  await sideBySide(sending.filter(isFirst), sentAtOnce, sendNext);
  for (const file of sending.filter(({ isLast }) => isLast)) await sendNext(file);
  return sent;
}

async function sendOne({ name, digest, bytes, target, over }: Sending, { bucket, signal, locate }: BucketContext): Promise<OwnObject> {
  const location = await locate(digest, target);
  const etag = await bucket.write(name, () => inTurn(readPieces(digest, location)), {
    bytes,
    digest,
    condition: over === undefined ? 'absent' : { etag: over },
    signal,
  });
  if (etag === undefined) throw new Overtaken(name);
  return { name, digest, bytes, etag };
}

/** What a build that was killed has begun costs money until somebody takes it back; whoever may not has to live with it. */
async function removeUnfinished({ bucket, signal }: BucketContext): Promise<void> {
  try {
    await bucket.removeUnfinished({ before: Date.now() - unfinishedMsMax, signal });
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
  }
}

export async function* inTurn(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}
