import { BuildError } from '../base/errors.ts';
import { Bucket } from '../s3/bucket.ts';
import { S3Error } from '../s3/errors.ts';
import { type ListedObject, Listing } from './listing.ts';
import { assertSafeNames } from './object-names.ts';
import { parseObjectPattern } from './object-pattern.ts';

export interface ListRequest {
  /** `s3://bucket/folder/**\/*.jsonl` */
  readonly address: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Also of which version each object is. */
  readonly versions?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Without what no pattern matches, so that an object that hides behind it is refused instead of passed over. */
const visible = (name: string): string =>
  name
    .replace(/\p{Cc}/gu, 'x')
    .split('/')
    .map((segment) => (['', '.', '..'].includes(segment) ? 'x' : segment))
    .join('/');

/**
 * All objects that a pattern matches now, by one request for each 1,000 objects below its fixed beginning.
 *
 * @throws {BuildError} `no-source` if there is none, `list-failed`, `bad-object-name`, `bad-address`.
 */
export async function listObjects({ address, endpoint, region, versions, env, signal }: ListRequest): Promise<Listing> {
  const { folder, beginning, matches } = parseObjectPattern(address);
  const bucket = new Bucket({ address: folder, endpoint, region, env, signal });
  const objects: ListedObject[] = [];
  try {
    for await (const { key: name, bytes, etag, version } of versions ? bucket.listVersions(beginning) : bucket.list(beginning)) {
      // What consoles leave behind for a folder.
      if (bytes === 0 && name.endsWith('/')) continue;
      if (matches(name) || matches(visible(name))) objects.push({ name, bytes, etag, ...(version !== undefined && { version }) });
    }
  } catch (error) {
    throw error instanceof S3Error ? listFailed(error, address) : error;
  } finally {
    bucket.close();
  }
  if (objects.length === 0) throw nothingMatches(address);
  assertSafeNames(
    objects.map(({ name }) => name),
    address,
  );
  return Listing.of(objects);
}

const listFailed = (error: S3Error, address: string): BuildError =>
  new BuildError('list-failed', {
    message: `the objects can not be listed: ${error.message}`,
    where: address,
    hint: error.fault.hint ?? 'Check the network and the address, then build again.',
    cause: error,
  });

const nothingMatches = (address: string): BuildError =>
  new BuildError('no-source', {
    message: 'no object matches',
    where: address,
    hint: 'Check bucket and prefix; folders below are only looked into with **.',
  });
