import { assertObjectAddress, parseS3Address } from '../s3/address.ts';
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
  assertObjectAddress(address);
  const { bucket, prefix } = parseS3Address(address);
  const { folder, matches } = parseGlob(prefix);
  const below = folder === '' ? prefix : prefix.slice(folder.length + 1);
  const [beginning = ''] = below.split(/[*?{]/);
  return { folder: `s3://${bucket}/${folder === '' ? '' : `${folder}/`}`, beginning, matches };
}
