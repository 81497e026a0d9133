import type { Digest } from '../base/digest.ts';
import { S3Error } from './errors.ts';
import type { Requests } from './requests.ts';

/** Of objects' metadata: BLAKE3 of what they hold. Also tells an object that was completed, though the answer was lost, from another's. */
export const digestName = 'blake3';

export interface ObjectAt {
  readonly Bucket: string;
  /** With its prefix. */
  readonly Key: string;
}

export interface ObjectThere {
  readonly etag: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly digest: Digest | undefined;
}

/** What is known of an object without its bytes. Undefined: there is none. */
export const headOf = (requests: Requests, at: ObjectAt, signal: AbortSignal | undefined): Promise<ObjectThere | undefined> =>
  requests.slots.run({ requests: 1, bytes: 0 }, () => requests.again({ signal }, () => headOnce(requests, at, signal)));

/** One try, for who holds a slot. */
export async function headOnce(requests: Requests, at: ObjectAt, signal: AbortSignal | undefined): Promise<ObjectThere | undefined> {
  try {
    const { ContentLength, ETag, LastModified, Metadata } = await requests.send({ signal }, ({ client, sdk }, sent) =>
      client.send(new sdk.HeadObjectCommand(at), sent),
    );
    return { etag: ETag ?? '', bytes: ContentLength ?? 0, modified: LastModified?.getTime() ?? 0, digest: Metadata?.[digestName] };
  } catch (error) {
    if (error instanceof S3Error && error.kind === 'missing') return undefined;
    throw error;
  }
}
