import { type Digest, digestHex } from '../../base/digest.ts';
import { BadShape } from './check-results.ts';
import type { Opened } from './envelope.ts';
import { isDigest } from './layout.ts';

/** Small contents by their digests. */
export type Contents = ReadonlyMap<Digest, Uint8Array>;

/** The body of a record: JSON, and small contents that come along. */
export interface Bag {
  readonly about: unknown;
  readonly contents: Contents;
}

/** One line of JSON, then the contents one after the other: `{"about":...,"contents":[[digest, bytes],...]}`. */
export function packBag({ about, contents }: Bag): Buffer {
  const table = [...contents].map(([digest, bytes]) => [digest, bytes.length]);
  return Buffer.concat([Buffer.from(`${JSON.stringify({ about, contents: table })}\n`), ...contents.values()]);
}

/** What could be read, and who signed it. */
export type Read<T> = T & { readonly signer: string | undefined };

/** Reads the body of an opened record; undefined when it is not shaped as it should be. */
export function readBag<T extends object>(record: Opened, read: (bag: Bag) => T): Read<T> | undefined {
  if (record === 'damaged') return undefined;
  try {
    return { ...read(unpackBag(record.body)), signer: record.signer };
  } catch (error) {
    if (error instanceof BadShape) return undefined;
    throw error;
  }
}

/** @throws BadShape when it is no bag, or a content is not what its digest says. */
function unpackBag(body: Buffer): Bag {
  const end = body.indexOf(10);
  if (end < 0) throw new BadShape('no line');
  const { about, contents } = parsed(body.toString('utf8', 0, end));
  const taken = new Map<Digest, Buffer>();
  let at = end + 1;
  for (const [digest, length] of contents) {
    const bytes = body.subarray(at, at + length);
    at += length;
    if (bytes.length !== length || digestHex(bytes) !== digest) throw new BadShape('a content is damaged');
    taken.set(digest, bytes);
  }
  if (at !== body.length) throw new BadShape('more than it says');
  return { about, contents: taken };
}

function parsed(line: string): { about: unknown; contents: readonly [Digest, number][] } {
  const bag = asObject(line);
  const contents: unknown = bag.contents;
  if (!Array.isArray(contents) || !contents.every(isEntry)) throw new BadShape('no table');
  return { about: bag.about, contents };
}

function asObject(line: string): { about?: unknown; contents?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // As good as anything else that is no object.
  }
  throw new BadShape('no object');
}

const isEntry = (entry: unknown): entry is [Digest, number] =>
  Array.isArray(entry) && isDigest(entry[0]) && Number.isSafeInteger(entry[1]) && entry[1] >= 0;
