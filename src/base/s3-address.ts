import { withoutKeyQuery, withoutUser } from './address.ts';
import { shownValue } from './shown-value.ts';

/**
 * Names of buckets. Source: Amazon S3 user guide, "General purpose bucket naming rules"; other servers of the protocol allow `_` as well.
 */
const bucketForm = /^(?!.*\.\.)(?!(?:\d+\.){3}\d+$)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;

/** Takes `s3://bucket/rest` apart, whatever the bucket is; undefined for anything else. */
export function splitS3Address(address: string): { readonly bucket: string; readonly rest: string } | undefined {
  const [, bucket, rest = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(address) ?? [];
  return bucket === undefined ? undefined : { bucket, rest };
}

/** What may be a secret where user, bucket and query can not be told apart. */
const seen = (is: string, value: string): string => (/[@?#:]/.test(value.replace(/^s3:/, '')) ? '' : `, but ${is} ${shownValue(value)}`);

/** What is wrong with the name of a bucket, as the end of a sentence. */
export const bucketProblem = (bucket: string): string | undefined =>
  bucketForm.test(bucket)
    ? undefined
    : `must name a bucket in 3 to 63 lower-case letters, digits, "-", "_" and "."${seen('names', bucket)}`;

/**
 * What is wrong with an address on S3 that somebody wrote by hand, as the end of a sentence that begins with what it is; it shows no secret.
 *
 * @param form how it should look: of a prefix, which may be empty and may end in a slash, or of a key.
 */
export function s3AddressProblem(
  address: string,
  form: 's3://bucket/prefix' | 's3://bucket/key' = 's3://bucket/prefix',
): string | undefined {
  if (withoutUser(address) !== address) return 'must hold no user and no password: credentials come from the environment or a profile';
  // A key may hold a question mark.
  const plain = form === 's3://bucket/key' ? withoutKeyQuery(address) : address.replace(/\?.*$/s, '');
  const parts = splitS3Address(plain);
  if (!parts) return `must be ${form}${seen('is', address)}`;
  if (plain !== address) return `must be ${form} without a query, but has one behind ${shownValue(plain)}`;
  return bucketProblem(parts.bucket) ?? restProblem(address, parts.rest, form);
}

function restProblem(address: string, rest: string, form: string): string | undefined {
  const isKey = form === 's3://bucket/key';
  const key = isKey ? rest : rest.replace(/\/$/, '');
  const but = `, but is ${shownValue(address)}`;
  if (key === '') return isKey ? `must be ${form}${but}` : undefined;
  if (/[\p{Cc}\p{Cs}]/u.test(key)) return `must have no control characters${but}`;
  if (isKey && key.endsWith('/')) return `must name an object, or by a pattern what lies in a folder${but}`;
  const isOdd = key.split('/').some((segment) => ['', '.', '..'].includes(segment));
  return isOdd ? `must have no empty segment and none that leads elsewhere${but}` : undefined;
}
