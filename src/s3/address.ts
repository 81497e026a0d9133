import { publicAddress, withoutKeyQuery } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';

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
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/is.exec(address) ?? [];
  if (bucket) return { bucket, prefix };
  throw badS3Address(address, 's3://bucket/prefix');
}

/** @param form how it should look. */
export const badS3Address = (address: string, form: string): BuildError =>
  new BuildError('bad-address', {
    message: `an S3 address is ${form}`,
    where: publicAddress(address),
    hint: 'Give keys and secrets in the environment or a profile, never in an address.',
  });

/**
 * For an address that was written by hand, before anything is made of it.
 *
 * @throws {BuildError} `bad-address` if it holds a user, a password or a query: a key that was listed may look like that, too.
 */
export function assertPlain(address: string): void {
  const plain = withoutKeyQuery(address);
  if (plain !== address) {
    throw new BuildError('bad-address', {
      message: 'an address of S3 has no query: a signed one would open one object for a while, and versions are pinned in dsbuild.lock',
      where: publicAddress(plain),
      hint: 'Leave out what follows the question mark (in a pattern write * for it), and give keys in the environment or a profile.',
    });
  }
  if (publicAddress(address) !== address) throw badS3Address(address, 's3://bucket/key');
}
