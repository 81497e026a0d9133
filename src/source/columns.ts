import { digestBytes } from '../base/digest.ts';
import { readFile, writeFileAtomic } from '../base/files.ts';

/** Fixed-size columns and texts, by name: what one file holds. */
export interface ColumnFile {
  readonly [name: string]: Column;
}

type Column = Uint8Array | Uint32Array | Float64Array | BigInt64Array | BigUint64Array;

const kinds = { u8: Uint8Array, u32: Uint32Array, f64: Float64Array, i64: BigInt64Array, u64: BigUint64Array } as const;
type Kind = keyof typeof kinds;

interface ColumnHead {
  readonly name: string;
  readonly kind: Kind;
  readonly offset: number;
  readonly length: number;
}

const checksumBytes = 32;
/** checksum, byte order mark, length of the head, then the head as JSON, then the columns, each at a multiple of 8. */
const prefixBytes = checksumBytes + 8;
const byteOrderMark = 0x01020304;

const aligned = (offset: number): number => (offset + 7) & ~7;

const kindOf = (column: Column): Kind => (Object.keys(kinds) as Kind[]).find((kind) => column instanceof kinds[kind]) as Kind;

/** The file's bytes: readable on machines of this byte order only; `format` is any text that must be the same when it is read. */
export function encodeColumns(format: string, columns: ColumnFile): Uint8Array {
  let offset = 0;
  const heads = Object.entries(columns).map(([name, column]): ColumnHead => {
    const head = { name, kind: kindOf(column), offset, length: column.length };
    offset = aligned(offset + column.byteLength);
    return head;
  });
  const head = Buffer.from(JSON.stringify({ format, heads }));
  const base = aligned(prefixBytes + head.length);
  const file = new Uint8Array(base + offset);
  new Uint32Array(file.buffer, checksumBytes, 2).set([byteOrderMark, head.length]);
  file.set(head, prefixBytes);
  for (const { name, offset: at } of heads) {
    const column = columns[name] as Column;
    file.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), base + at);
  }
  file.set(digestBytes(file.subarray(checksumBytes)), 0);
  return file;
}

function isWhole(file: Uint8Array): boolean {
  return file.length >= prefixBytes && digestBytes(file.subarray(checksumBytes)).equals(file.subarray(0, checksumBytes));
}

/** The columns as views of `file`, which begins at a multiple of 8 of its buffer; undefined if it is damaged, or of another format or byte order. */
export function decodeColumns(format: string, file: Uint8Array<ArrayBuffer>): ColumnFile | undefined {
  if (!isWhole(file)) return undefined;
  const [mark = 0, headLength = 0] = new Uint32Array(file.buffer, file.byteOffset + checksumBytes, 2);
  if (mark !== byteOrderMark) return undefined;
  const head = JSON.parse(Buffer.from(file.buffer, file.byteOffset + prefixBytes, headLength).toString()) as {
    format: string;
    heads: ColumnHead[];
  };
  if (head.format !== format) return undefined;
  const base = file.byteOffset + aligned(prefixBytes + headLength);
  return Object.fromEntries(
    head.heads.map(({ name, kind, offset, length }) => [name, new kinds[kind](file.buffer, base + offset, length)]),
  );
}

/** Reads a column file; an absent, damaged or foreign one is undefined: it is a memory, never a truth. */
export function readColumns(format: string, path: string): ColumnFile | undefined {
  try {
    const bytes = readFile(path);
    // A short file comes in a shared pool, a long one in a buffer of its own, which is not copied.
    return decodeColumns(format, bytes.byteOffset === 0 ? new Uint8Array(bytes.buffer, 0, bytes.length) : new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}

/** Replaces a column file as a whole. */
export function writeColumns(format: string, path: string, columns: ColumnFile): void {
  writeFileAtomic(path, encodeColumns(format, columns));
}
