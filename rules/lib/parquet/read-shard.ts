import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BuildError, messageOf } from '../../../src/base/errors.ts';
import { contentBytesOf, loadZstd } from '../zstd.ts';
import { codecIds, encodings, pageTypes } from './format.ts';
import { type ThriftFields, ThriftReader } from './thrift-reader.ts';
import { snappyUncompress } from './unsnap.ts';

/** Where one column of a row group lies. */
interface ColumnPlace {
  readonly name: string;
  readonly codec: number;
  readonly values: number;
  readonly start: number;
  readonly bytes: number;
}

interface GroupPlace {
  readonly rows: number;
  readonly columns: readonly ColumnPlace[];
}

/** So wide that a place and what is left of the one before fit into 32 bits. */
const placeBitsMax = 24;
const tooEarly = 'a page ends too early';

type Uncompress = (bytes: Uint8Array, size: number) => Uint8Array;

const bad = (seen: string): BuildError => new BuildError('bad-part', { message: `not a shard that dsbuild wrote: ${seen}` });

const uncompressors: Readonly<Record<number, () => Uncompress | Promise<Uncompress>>> = {
  [codecIds.none]: () => (bytes) => bytes,
  [codecIds.snappy]: () => snappyUncompress,
  [codecIds.zstd]: unzstd,
};

async function unzstd(): Promise<Uncompress> {
  const { decompress } = await loadZstd();
  return (frame, size) => {
    const said = contentBytesOf(frame);
    if (said !== size) throw bad(`a page is said to hold ${size} bytes, but holds ${said}`);
    try {
      return decompress(frame);
    } catch (cause) {
      throw bad(`a page can not be decompressed: ${messageOf(cause)}`);
    }
  };
}

/**
 * A shard as `assemble` writes it: columns of lists of int32, each list of one length, nothing null. Much faster than a reader of any Parquet
 * file; memory is one column of one row group. Other files are refused.
 */
export class ShardReader {
  readonly rows: number;
  readonly groups: readonly GroupPlace[];
  readonly keyValues: Readonly<Record<string, string>>;
  readonly #fd: number;
  readonly #bytes: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    try {
      this.#bytes = fstatSync(this.#fd).size;
      const footer = new ThriftReader(this.#footer()).struct();
      this.rows = numberAt(footer, 3);
      this.groups = structs(footer, 4).map(groupOf);
      this.keyValues = Object.fromEntries(structs(footer, 5).map((pair) => [textAt(pair, 1), textAt(pair, 2)]));
      const rows = this.groups.reduce((sum, group) => sum + group.rows, 0);
      if (rows !== this.rows) throw bad(`its row groups have ${rows} rows instead of ${this.rows}`);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #footer(): Buffer {
    const tail = this.#read(this.#bytes - 8, 8);
    if (tail.toString('latin1', 4) !== 'PAR1') throw bad('it does not end with the magic word');
    const footerBytes = tail.readUInt32LE(0);
    return this.#read(this.#bytes - 8 - footerBytes, footerBytes);
  }

  /** The values of a column, row after row. @throws {BuildError} `bad-part` where there is none, or its values are not as many as said. */
  async column({ columns }: GroupPlace, name: string): Promise<Int32Array> {
    const place = columns.find((column) => column.name === name);
    if (!place) throw bad(`it has no column ${name}`);
    const uncompress = await uncompressors[place.codec]?.();
    if (!uncompress) throw bad(`codec ${place.codec} is not known`);
    return valuesOf(this.#read(place.start, place.bytes), place, uncompress);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(at: number, length: number): Buffer {
    if (at < 0 || at + length > this.#bytes) throw bad('it is too short');
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#fd, bytes, done, length - done, at + done);
      if (read === 0) throw bad('it is too short');
      done += read;
    }
    return bytes;
  }
}

function structs(fields: ThriftFields, id: number): ThriftFields[] {
  const found = fields.get(id) ?? [];
  if (!Array.isArray(found)) throw bad(`field ${id} is no list`);
  return found.map((value) => structOf(value, id));
}

function structOf(value: unknown, id: number): ThriftFields {
  if (!(value instanceof Map)) throw bad(`field ${id} is no struct`);
  return value as ThriftFields;
}

function textOf(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw bad('a name is missing');
  return Buffer.from(value).toString('utf8');
}

const textAt = (fields: ThriftFields, id: number): string => textOf(fields.get(id));

/** A count, a size or a place. */
function numberAt(fields: ThriftFields, id: number): number {
  const value = fields.get(id);
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw bad(`field ${id} is no count`);
  return value as number;
}

function groupOf(group: ThriftFields): GroupPlace {
  const rows = numberAt(group, 3);
  const columns = structs(group, 1).map((chunk) => {
    const meta = structOf(chunk.get(3), 3);
    const path = meta.get(3);
    const column = {
      name: textOf(Array.isArray(path) ? path[0] : undefined),
      codec: numberAt(meta, 4),
      values: numberAt(meta, 5),
      start: numberAt(meta, meta.has(11) ? 11 : 9),
      bytes: numberAt(meta, 7),
    };
    if (column.values < rows || (rows > 0 && column.values % rows !== 0)) throw bad(`${column.values} values are not ${rows} rows`);
    return column;
  });
  return { rows, columns };
}

interface Page {
  readonly type: number;
  readonly compressed: Uint8Array;
  readonly bytes: number;
  /** Of a page of data. */
  readonly values: number;
  readonly encoding: number;
}

function pagesOf(chunk: Buffer): Page[] {
  const pages: Page[] = [];
  for (const reader = new ThriftReader(chunk); reader.at < chunk.length; ) {
    const header = reader.struct();
    const type = numberAt(header, 1);
    const end = reader.at + numberAt(header, 3);
    if (end > chunk.length) throw bad('a page ends too late');
    const about = type === pageTypes.data ? structOf(header.get(5), 5) : undefined;
    pages.push({
      type,
      compressed: chunk.subarray(reader.at, end),
      bytes: numberAt(header, 2),
      values: about ? numberAt(about, 1) : 0,
      encoding: about ? numberAt(about, 2) : encodings.plain,
    });
    reader.at = end;
  }
  return pages;
}

function valuesOf(chunk: Buffer, { values: count, name }: ColumnPlace, uncompress: Uncompress): Int32Array {
  const pages = pagesOf(chunk);
  const found = pages.reduce((sum, page) => sum + page.values, 0);
  // Before there is memory for them.
  if (found !== count) throw bad(`column ${name} has ${found} values instead of ${count}`);
  const values = new Int32Array(count);
  let dictionary = new Int32Array(0);
  let done = 0;
  for (const page of pages) {
    const bytes = uncompress(page.compressed, page.bytes);
    if (bytes.length !== page.bytes) throw bad(`a page of column ${name} has ${bytes.length} bytes instead of ${page.bytes}`);
    if (page.type === pageTypes.dictionary) dictionary = plainValues(bytes);
    else if (page.type === pageTypes.data) {
      const to = values.subarray(done, done + page.values);
      readPage(bytes, { to, dictionary: page.encoding === encodings.plain ? undefined : dictionary });
      done += to.length;
    } else throw bad(`there are no pages of type ${page.type}`);
  }
  return values;
}

function plainValues(bytes: Uint8Array): Int32Array<ArrayBuffer> {
  const values = new Int32Array(bytes.length >> 2);
  new Uint8Array(values.buffer).set(bytes.subarray(0, values.byteLength));
  return values;
}

function readPage(page: Uint8Array, { to, dictionary }: { to: Int32Array; dictionary: Int32Array | undefined }): void {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  // Levels of repetition and definition: every list is whole, so they say nothing.
  let at = 0;
  for (let levels = 0; levels < 2; levels++) {
    if (at + 4 > page.length) throw bad(tooEarly);
    at += 4 + view.getUint32(at, true);
  }
  if (!dictionary) {
    if (at + 4 * to.length > page.length) throw bad(tooEarly);
    to.set(plainValues(page.subarray(at, at + 4 * to.length)));
  } else readPlaces(page.subarray(at), to, dictionary);
}

/** Places in a dictionary, as runs of one place and runs of bit-packed ones. */
function readPlaces(bytes: Uint8Array, to: Int32Array, dictionary: Int32Array): void {
  const width = bytes[0] ?? placeBitsMax + 1;
  if (width > placeBitsMax) throw bad('the places in its dictionary are too wide');
  const placeBytes = Math.ceil(width / 8);
  let at = 1;
  for (let done = 0; done < to.length; ) {
    let head = 0;
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      byte = bytes[at++] as number;
      head += (byte & 127) * 2 ** shift;
    }
    const isPacked = head % 2 === 1;
    const length = Math.min(Math.floor(head / 2) * (isPacked ? 8 : 1), to.length - done);
    const runBytes = isPacked ? Math.floor(head / 2) * width : placeBytes;
    if (!(length > 0) || at + runBytes > bytes.length) throw bad(tooEarly);
    const run = to.subarray(done, done + length);
    if (isPacked) unpack(bytes.subarray(at), run, { width, dictionary });
    else {
      let place = 0;
      for (let b = 0; b < placeBytes; b++) place |= (bytes[at + b] as number) << (8 * b);
      run.fill(valueAt(dictionary, place));
    }
    at += runBytes;
    done += length;
  }
}

function valueAt(dictionary: Int32Array, place: number): number {
  const value = dictionary[place];
  if (value === undefined) throw bad(`its dictionary has no place ${place}`);
  return value;
}

function unpack(bytes: Uint8Array, to: Int32Array, { width, dictionary }: { width: number; dictionary: Int32Array }): void {
  const mask = 2 ** width - 1;
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < to.length; i++) {
    for (; bits < width; bits += 8) held |= (bytes[at++] as number) << bits;
    to[i] = valueAt(dictionary, held & mask);
    held >>>= width;
    bits -= width;
  }
}
