import type { Digest } from '../../base/digest.ts';
import type { Location } from '../../cache/store.ts';
import type { Bucket } from '../../s3/bucket.ts';

/** What publishing behind one prefix works with. */
export interface BucketContext {
  /** `s3://bucket/prefix`, without a slash at its end. */
  readonly out: string;
  /** Behind that prefix. */
  readonly bucket: Pick<Bucket, 'list' | 'get' | 'head' | 'digestOf' | 'write' | 'remove' | 'removeUnfinished' | 'close'>;
  readonly stateDir: string;
  readonly signal: AbortSignal;
  /** Makes sure that these bytes are on this machine, and says where. */
  locate(digest: Digest, target: string): Promise<Location>;
  warn(warning: { code: string; message: string; where: string; hint?: string }): void;
  note(message: string): void;
}
