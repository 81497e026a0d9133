import { BuildError } from '../base/errors.ts';
import { parseS3Address } from '../s3/address.ts';
import { isGlob, parseGlob } from './glob.ts';

/** A glob over the keys of a bucket. */
export interface ObjectPattern {
  /** `s3://bucket/folder/`: what the names below are relative to. */
  readonly folder: string;
  /** What all names below that can match begin with. */
  readonly beginning: string;
  matches(name: string): boolean;
}

/** Whether an address stands for all objects that a glob matches, and not for one. */
export const isObjectPattern = (address: string): boolean => /^s3:\/\//i.test(address) && isGlob(address);

/**
 * Takes `s3://bucket/folder/**\/*.jsonl` apart; globs mean what they mean for local files.
 *
 * @throws {BuildError} `bad-address`
 */
export function parseObjectPattern(address: string): ObjectPattern {
  const { bucket, prefix } = parseS3Address(address);
  const isBad = prefix.split('/').some((segment) => ['', '.', '..'].includes(segment));
  if (isGlob(bucket) || isBad) {
    throw new BuildError('bad-address', {
      message: isBad ? 'the pattern has a segment that is empty or leads to another folder' : 'a bucket can not be named by a glob',
      where: address,
      hint: 'A pattern over objects is s3://bucket/folder/**/*.jsonl.',
    });
  }
  const { folder, matches } = parseGlob(prefix);
  const below = folder === '' ? prefix : prefix.slice(folder.length + 1);
  const [beginning = ''] = below.split(/[*?{]/);
  return { folder: `s3://${bucket}/${folder === '' ? '' : `${folder}/`}`, beginning, matches };
}
