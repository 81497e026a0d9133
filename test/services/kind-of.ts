import * as assert from 'uvu/assert';
import { S3Error, type S3Kind } from '../../src/s3/bucket.ts';

/** How a request failed. */
export async function kindOf(work: Promise<unknown>): Promise<S3Kind> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, S3Error, String(error));
    return (error as S3Error).kind;
  }
  throw new Error('nothing failed');
}
