import { type Digest, digestHex } from '../base/digest.ts';
import { byCodeUnit } from '../base/names.ts';

/** One object as a server lists it, and the digest of its bytes since they were here. */
export interface ListedObject {
  /** Below the folder that the pattern begins in. */
  readonly name: string;
  readonly bytes: number;
  /** As the server writes it, with its quotes. */
  readonly etag: string;
  readonly version?: string;
  readonly blake3?: Digest;
}

const head = '# dsbuild listing, format 1: ';

/** What the server said of an object, as it is hashed. Neither names nor ETags hold a tab or a newline: they are checked before. */
const identityOf = ({ name, bytes, etag, version = '' }: ListedObject): string => `${name}\t${bytes}\t${etag}\t${version}`;

/**
 * What a pattern resolved to: all objects in the order of their names, by code unit. Its digest is that of what the server said, so that
 * it is known before anything is fetched and does not change when something was.
 */
export class Listing {
  readonly objects: readonly ListedObject[];
  #digest: Digest | undefined;

  private constructor(objects: readonly ListedObject[]) {
    this.objects = objects;
  }

  static of(objects: Iterable<ListedObject>): Listing {
    return new Listing([...objects].sort((a, b) => byCodeUnit(a.name, b.name)));
  }

  get digest(): Digest {
    this.#digest ??= digestHex(this.objects.map(identityOf).join('\n'));
    return this.#digest;
  }

  get bytes(): number {
    return this.objects.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** How many of the objects were here. */
  get known(): number {
    return this.objects.reduce((sum, { blake3 }) => sum + (blake3 === undefined ? 0 : 1), 0);
  }

  /** Digest of all names and contents; undefined as long as one of them was never here. */
  get contents(): Digest | undefined {
    if (this.known < this.objects.length) return undefined;
    return digestHex(this.objects.map(({ name, blake3 }) => `${name}\t${blake3}`).join('\n'));
  }

  /** The same listing with what is known of contents: a digest that an object has already stays. */
  with(digestOf: (name: string) => Digest | undefined): Listing {
    const objects = this.objects.map((object) => {
      const blake3 = object.blake3 ?? digestOf(object.name);
      return blake3 === undefined ? object : { ...object, blake3 };
    });
    return new Listing(objects);
  }

  /** The text of its file: a line for each object, so that git shows and merges them. */
  encode(address: string): string {
    return `${head}${address}\n${this.objects.map((object) => `${identityOf(object)}\t${object.blake3 ?? ''}\n`).join('')}`;
  }

  /** @returns undefined for what is no listing. */
  static decode(text: string): Listing | undefined {
    const [first = '', ...lines] = text.split('\n');
    if (!first.startsWith(head) || lines.pop() !== '') return undefined;
    const objects = lines.map(decodeLine);
    return objects.every((object) => object !== undefined) ? Listing.of(objects) : undefined;
  }
}

function decodeLine(line: string): ListedObject | undefined {
  const [name, bytes, etag, version, blake3, ...more] = line.split('\t');
  if (!name || etag === undefined || version === undefined || blake3 === undefined || more.length > 0) return undefined;
  if (!/^\d+$/.test(bytes ?? '') || !/^([0-9a-f]{64})?$/.test(blake3)) return undefined;
  return { name, bytes: Number(bytes), etag, ...(version && { version }), ...(blake3 && { blake3 }) };
}

/** Names of objects that one listing has and the other has not, or has otherwise. */
export interface ListingChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

export function listingChanges(before: Listing, after: Listing): ListingChanges {
  const old = new Map(before.objects.map((object) => [object.name, identityOf(object)]));
  const [added, changed]: [string[], string[]] = [[], []];
  for (const object of after.objects) {
    const was = old.get(object.name);
    old.delete(object.name);
    if (was === undefined) added.push(object.name);
    else if (was !== identityOf(object)) changed.push(object.name);
  }
  return { added, changed, gone: [...old.keys()] };
}

const namesMax = 3;

/** `3 objects are new (a.jsonl, b.jsonl, c.jsonl), 1 was replaced (d.jsonl)` */
export function changesInWords({ added, changed, gone }: ListingChanges): string {
  const words = (names: readonly string[], [one, more]: readonly [string, string]): string[] => {
    if (names.length === 0) return [];
    const shown = [...names.slice(0, namesMax), ...(names.length > namesMax ? ['...'] : [])].join(', ');
    return [`${names.length} ${names.length === 1 ? one : more} (${shown})`];
  };
  const all = [
    ...words(added, ['object is new', 'objects are new']),
    ...words(changed, ['was replaced', 'were replaced']),
    ...words(gone, ['is gone', 'are gone']),
  ];
  return all.length === 0 ? 'the same objects' : all.join(', ');
}
