import { publicAddress, withoutKeyQuery } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { bucketProblem, s3AddressProblem, splitS3Address } from '../base/s3-address.ts';

export interface S3Address {
  readonly bucket: string;
  /** What follows the bucket, as it stands: nothing is decoded, nothing normalised. */
  readonly prefix: string;
}

/**
 * Takes `s3://bucket` or `s3://bucket/prefix` apart.
 *
 * @throws {BuildError} `bad-address`
 */
export function parseS3Address(address: string): S3Address {
  const parts = splitS3Address(address);
  const problem = parts ? bucketProblem(parts.bucket) : 'must be s3://bucket/prefix';
  if (parts && problem === undefined) return { bucket: parts.bucket, prefix: parts.rest };
  throw badS3Address(address, s3AddressProblem(address) ?? problem);
}

/**
 * For the address of an object, or a pattern over some, that was written by hand.
 *
 * @throws {BuildError} `bad-address` if it holds a user, a password or a query (a key that was listed may look like that, too), or leads elsewhere.
 */
export function assertObjectAddress(address: string): void {
  const plain = withoutKeyQuery(address);
  const problem = s3AddressProblem(plain, 's3://bucket/key');
  if (problem !== undefined) throw badS3Address(plain, problem);
  if (plain === address) return;
  throw new BuildError('bad-address', {
    message: 'an address of S3 has no query: a signed one would open one object for a while, and versions are pinned in dsbuild.lock',
    where: publicAddress(plain),
    hint: 'Leave out what follows the question mark (in a pattern write * for it), and give keys in the environment or a profile.',
  });
}

/** @param problem what is wrong with it, as the end of a sentence. */
const badS3Address = (address: string, problem: string | undefined): BuildError =>
  new BuildError('bad-address', {
    message: `an address of S3 ${problem}`,
    where: publicAddress(withoutKeyQuery(address)),
    hint: 'Give keys and secrets in the environment or a profile, never in an address.',
  });
