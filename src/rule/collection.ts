import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import { type Form, forms, type Part } from './part.ts';

const magic = 'dsbuild-collection 1\n';

interface Head {
  count: number;
  groups: string[];
  facts: string[];
  /** File names below `out`, one a part, or empty when no part has one. */
  names: string[];
}

/** Bytes of one part in the columns, without its facts: digest, bytes, group, form. */
const fixedBytes = 32 + 8 + 4 + 1;

function headOf(parts: readonly Part[]): Head {
  const groups = [...new Set(parts.map((part) => part.group))];
  const facts = [...new Set(parts.flatMap((part) => Object.keys(part.facts)))].sort(byCodeUnit);
  const named = parts.some((part) => part.name !== undefined);
  return { count: parts.length, groups, facts, names: named ? parts.map((part) => part.name ?? '') : [] };
}

/**
 * The canonical bytes of a target's output: ordered parts with group, name, digest and facts, in columns.
 * Their BLAKE3 digest is the collection's identity, so places and times must never get in.
 */
export function encodeCollection(parts: readonly Part[]): Buffer {
  const head = headOf(parts);
  const { count, groups, facts } = head;
  const headBytes = Buffer.from(`${magic}${JSON.stringify(head)}\n`);
  const bytes = Buffer.alloc(headBytes.length + count * (fixedBytes + 8 * facts.length));
  headBytes.copy(bytes);
  const groupIndex = new Map(groups.map((group, i) => [group, i]));
  const at = columns(headBytes.length, count);
  parts.forEach((part, i) => {
    bytes.write(part.digest, at.digest + i * 32, 'hex');
    bytes.writeDoubleLE(part.bytes, at.bytes + i * 8);
    bytes.writeUInt32LE(groupIndex.get(part.group) as number, at.group + i * 4);
    bytes.writeUInt8(forms.indexOf(part.form), at.form + i);
    facts.forEach((fact, f) => void bytes.writeDoubleLE(part.facts[fact] ?? Number.NaN, at.facts + (f * count + i) * 8));
  });
  return bytes;
}

const columns = (start: number, count: number) => ({
  digest: start,
  bytes: start + count * 32,
  group: start + count * 40,
  form: start + count * 44,
  facts: start + count * fixedBytes,
});

const damaged = (): never => {
  throw new BuildError('bad-part', { message: 'a collection is damaged' });
};

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((text) => typeof text === 'string');

function isHead(head: Partial<Head> | null): head is Head {
  if (head === null || !Number.isSafeInteger(head.count) || (head.count as number) < 0) return false;
  return areTexts(head.groups) && areTexts(head.facts) && areTexts(head.names);
}

function decodeHead(bytes: Buffer): { head: Head; start: number } {
  const end = bytes.indexOf(10, magic.length);
  if (bytes.toString('latin1', 0, magic.length) !== magic || end < 0) damaged();
  return { head: parseHead(bytes.toString('utf8', magic.length, end)), start: end + 1 };
}

function parseHead(text: string): Head {
  try {
    const head = JSON.parse(text) as Partial<Head> | null;
    if (isHead(head)) return head;
  } catch {
    // As for any other damage.
  }
  return damaged();
}

/** The parts of a collection as they are asked for: there may be 100,000, and who looks for one row needs few of them. */
export class CollectionView {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #head: Head;
  readonly #at: ReturnType<typeof columns>;

  /** @throws {BuildError} `bad-part` when the bytes are not those of a collection. */
  constructor(bytes: Buffer) {
    const { head, start } = decodeHead(bytes);
    if (bytes.length !== start + head.count * (fixedBytes + 8 * head.facts.length)) damaged();
    this.count = head.count;
    this.#bytes = bytes;
    this.#head = head;
    this.#at = columns(start, head.count);
  }

  digest(i: number): Digest {
    const at = this.#at.digest + i * 32;
    return this.#bytes.toString('hex', at, at + 32);
  }

  form(i: number): Form {
    return forms[this.#bytes.readUInt8(this.#at.form + i)] ?? damaged();
  }

  fact(i: number, name: string): number | undefined {
    const column = this.#head.facts.indexOf(name);
    if (column < 0) return undefined;
    const value = this.#bytes.readDoubleLE(this.#at.facts + (column * this.count + i) * 8);
    return Number.isNaN(value) ? undefined : value;
  }

  name(i: number): string | undefined {
    return this.#head.names[i] || undefined;
  }

  group(i: number): string {
    return this.#head.groups[this.#bytes.readUInt32LE(this.#at.group + i * 4)] ?? damaged();
  }

  part(i: number): Part {
    const facts: Record<string, number> = {};
    for (const fact of this.#head.facts) {
      const value = this.fact(i, fact);
      if (value !== undefined) facts[fact] = value;
    }
    const name = this.name(i);
    const bytes = this.#bytes.readDoubleLE(this.#at.bytes + i * 8);
    return { digest: this.digest(i), form: this.form(i), bytes, facts, group: this.group(i), ...(name && { name }) };
  }

  /** Places of the parts with this digest, rising. */
  *placesOf(digest: Digest): Generator<number> {
    const wanted = Buffer.from(digest, 'hex');
    const digests = this.#bytes.subarray(this.#at.digest, this.#at.digest + this.count * 32);
    for (let at = digests.indexOf(wanted); at >= 0; at = digests.indexOf(wanted, at + 1)) if (at % 32 === 0) yield at / 32;
  }

  /** The part that is published under this name. */
  placeOfName(name: string): number | undefined {
    const place = this.#head.names.indexOf(name);
    return place < 0 ? undefined : place;
  }
}

/** @throws {BuildError} `bad-part` when the bytes are not those of a collection. */
export function decodeCollection(bytes: Buffer): Part[] {
  const view = new CollectionView(bytes);
  return Array.from({ length: view.count }, (_, i) => view.part(i));
}
