import { BuildError } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import { forms, type Part } from './part.ts';

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

function decodeHead(bytes: Buffer): { head: Head; start: number } {
  const end = bytes.indexOf(10, magic.length);
  if (bytes.toString('latin1', 0, magic.length) !== magic || end < 0) damaged();
  try {
    return { head: JSON.parse(bytes.toString('utf8', magic.length, end)) as Head, start: end + 1 };
  } catch {
    return damaged();
  }
}

/** @throws {BuildError} `bad-part` when the bytes are not those of a collection. */
export function decodeCollection(bytes: Buffer): Part[] {
  const { head, start } = decodeHead(bytes);
  const { count, facts, groups, names } = head;
  if (bytes.length !== start + count * (fixedBytes + 8 * facts.length)) damaged();
  const at = columns(start, count);
  return Array.from({ length: count }, (_, i) => {
    const known: Record<string, number> = {};
    facts.forEach((fact, f) => {
      const value = bytes.readDoubleLE(at.facts + (f * count + i) * 8);
      if (!Number.isNaN(value)) known[fact] = value;
    });
    const name = names[i];
    return {
      digest: bytes.toString('hex', at.digest + i * 32, at.digest + i * 32 + 32),
      form: forms[bytes.readUInt8(at.form + i)] ?? damaged(),
      bytes: bytes.readDoubleLE(at.bytes + i * 8),
      facts: known,
      group: groups[bytes.readUInt32LE(at.group + i * 4)] ?? damaged(),
      ...(name && { name }),
    };
  });
}
