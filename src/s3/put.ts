import type { Digest } from '../base/digest.ts';
import { checksumOf } from './checksum.ts';
import { type Condition, conditionFailed, headersOf } from './condition.ts';
import { getWhole } from './get.ts';
import { digestName, headOnce, type ObjectAt } from './head.ts';
import type { Requests } from './requests.ts';

/** A larger body is sent only after the server said that it lacks it: a proxy may lose the early answer, and then all of it is sent. */
export const askedFirstBytesMin = 1024 * 1024;

export interface Putting {
  readonly at: ObjectAt;
  readonly bytes: Uint8Array;
  readonly condition: Condition;
  readonly signal: AbortSignal | undefined;
  /** To be noted beside it. */
  readonly digest?: Digest | undefined;
}

/**
 * Sends a body that is whole in memory. The caller holds a slot.
 *
 * @returns the ETag of what was written; undefined where the condition did not hold.
 */
export async function putWhole(requests: Requests, putting: Putting): Promise<string | undefined> {
  const { at, bytes, condition, signal, digest } = putting;
  const about = digest === undefined ? {} : { Metadata: { [digestName]: digest } };
  const whole = { ...at, ...about, Body: bytes, ChecksumCRC32: checksumOf(bytes), ...headersOf(condition) };
  const isAsked = condition === 'absent' && digest !== undefined && bytes.length >= askedFirstBytesMin;
  let etag: string | undefined;
  let tries = 0;
  try {
    etag = await requests.again({ signal }, async () => {
      // Somebody may have written it meanwhile, or this very request, with its answer lost.
      const there = tries++ > 0 && isAsked ? await headOnce(requests, at, signal) : undefined;
      if (there) return there.digest === digest ? there.etag : undefined;
      const answer = await requests.send({ signal }, ({ client, sdk }, sent) => client.send(new sdk.PutObjectCommand(whole), sent));
      return answer.ETag ?? '';
    });
  } catch (error) {
    if (condition === 'any' || !conditionFailed(error)) throw error;
    // An earlier try may have written it, with its answer lost.
    etag = tries === 1 ? undefined : await etagIfHeld(requests, putting);
  }
  if (etag !== undefined) requests.counters.bytesOut += bytes.length;
  return etag;
}

async function etagIfHeld(requests: Requests, { at, bytes, signal, digest }: Putting): Promise<string | undefined> {
  try {
    if (digest !== undefined) {
      const there = await requests.again({ signal }, () => headOnce(requests, at, signal));
      return there?.digest === digest ? there.etag : undefined;
    }
    const got = await requests.again({ signal }, () => getWhole(requests, { key: at.Key, signal, bytesMax: bytes.length }));
    return got.bytes.equals(bytes) ? got.etag : undefined;
  } catch {
    return undefined;
  }
}
