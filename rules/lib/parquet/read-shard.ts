import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BuildError } from '../../../src/base/errors.ts';
import { loadZstd } from '../zstd.ts';
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

type Uncompress = (bytes: Uint8Array, size: number) => Uint8Array;

const bad = (seen: string): BuildError => new BuildError('bad-part', { message: `not a shard that dsbuild wrote: ${seen}` });

const uncompressors: Readonly<Record<number, () => Uncompress | Promise<Uncompress>>> = {
  [codecIds.none]: () => (bytes) => bytes,
  [codecIds.snappy]: () => snappyUncompress,
  [codecIds.zstd]: async () => (await loadZstd()).decompress,
};

/**
 * A shard as `assemble` writes it: columns of lists of int32, each list of one length, nothing null. Much faster than a reader of any Parquet
 * file; memory is one column of one row group. Other files are refused.
 */
export class ShardReader {
  readonly rows: number;
  readonly groups: readonly GroupPlace[];
  readonly keyValues: Readonly<Record<string, string>>;
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    const { size } = fstatSync(this.#fd);
    const tail = this.#read(size - 8, 8);
    if (tail.toString('latin1', 4) !== 'PAR1') throw bad('it does not end with the magic word');
    const footerBytes = tail.readUInt32LE(0);
    const footer = new ThriftReader(this.#read(size - 8 - footerBytes, footerBytes)).struct();
    this.rows = footer.get(3) as number;
    this.groups = structs(footer, 4).map(groupOf);
    this.keyValues = Object.fromEntries(structs(footer, 5).map((pair) => [textAt(pair, 1), textAt(pair, 2)]));
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
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, length));
    for (let done = 0; done < length; ) {
      const read = at < 0 ? 0 : readSync(this.#fd, bytes, done, length - done, at + done);
      if (read === 0) throw bad('it is too short');
      done += read;
    }
    return bytes;
  }
}

const structs = (fields: ThriftFields, id: number): ThriftFields[] => (fields.get(id) ?? []) as ThriftFields[];
const textAt = (fields: ThriftFields, id: number): string => Buffer.from(fields.get(id) as Uint8Array).toString('utf8');

function groupOf(group: ThriftFields): GroupPlace {
  const columns = structs(group, 1).map((chunk) => {
    const meta = chunk.get(3) as ThriftFields;
    const [name] = meta.get(3) as Uint8Array[];
    const start = (meta.get(11) ?? meta.get(9)) as number;
    return {
      name: Buffer.from(name as Uint8Array).toString('utf8'),
      codec: meta.get(4) as number,
      values: meta.get(5) as number,
      start,
      bytes: meta.get(7) as number,
    };
  });
  return { rows: group.get(3) as number, columns };
}

function valuesOf(chunk: Buffer, { values: count, name }: ColumnPlace, uncompress: Uncompress): Int32Array {
  const values = new Int32Array(count);
  let dictionary = new Int32Array(0);
  let done = 0;
  for (const reader = new ThriftReader(chunk); reader.at < chunk.length; ) {
    const header = reader.struct();
    const compressed = chunk.subarray(reader.at, reader.at + (header.get(3) as number));
    reader.at += compressed.length;
    const page = uncompress(compressed, header.get(2) as number);
    if (header.get(1) === pageTypes.dictionary) dictionary = plainValues(page);
    else {
      const about = header.get(5) as ThriftFields;
      const to = values.subarray(done, done + (about.get(1) as number));
      readPage(page, { to, dictionary: about.get(2) === encodings.plain ? undefined : dictionary });
      done += to.length;
    }
  }
  if (done !== count) throw bad(`column ${name} has ${done} values instead of ${count}`);
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
  for (let levels = 0; levels < 2; levels++) at += 4 + view.getUint32(at, true);
  if (!dictionary) to.set(plainValues(page.subarray(at)).subarray(0, to.length));
  else readPlaces(page.subarray(at), to, dictionary);
}

/** Places in a dictionary, as runs of one place and runs of bit-packed ones. */
function readPlaces(bytes: Uint8Array, to: Int32Array, dictionary: Int32Array): void {
  const width = bytes[0] as number;
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
    if (length === 0 || at > bytes.length) throw bad('a page ends too early');
    const run = to.subarray(done, done + length);
    if (isPacked) unpack(bytes.subarray(at), run, { width, dictionary });
    else {
      let place = 0;
      for (let b = 0; b < placeBytes; b++) place |= (bytes[at + b] as number) << (8 * b);
      run.fill(dictionary[place] as number);
    }
    at += isPacked ? Math.floor(head / 2) * width : placeBytes;
    done += length;
  }
}

function unpack(bytes: Uint8Array, to: Int32Array, { width, dictionary }: { width: number; dictionary: Int32Array }): void {
  const mask = 2 ** width - 1;
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < to.length; i++) {
    for (; bits < width; bits += 8) held |= (bytes[at++] as number) << bits;
    to[i] = dictionary[held & mask] as number;
    held >>>= width;
    bits -= width;
  }
}
