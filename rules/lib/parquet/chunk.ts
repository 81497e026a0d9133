import { ByteSink } from './bytes.ts';
import type { PageCodec } from './codecs.ts';
import type { Runs } from './columns.ts';
import { type ColumnMeta, encodings, pageTypes } from './format.ts';
import { type ThriftStruct, writeStruct } from './thrift.ts';
import { encodingsFor, type PageValues, runsEncoding, type ValueEncoding, writeRun } from './values.ts';

/** Values in a page at most, if a row is not longer: 1 MiB as int32. Readers hold a page whole. */
const pageValuesMax = 1 << 18;
/** Values on which the ways to write a column are tried. */
const sampleValues = 1 << 15;

export interface ChunkShape {
  readonly name: string;
  readonly rows: number;
  readonly maxSeqLength: number;
}

/** Appends the pages of one column (a column chunk) to `out`: a dictionary page, if it has one, and data pages of whole rows. */
export class ChunkWriter {
  readonly #out: ByteSink;
  readonly #codec: PageCodec;
  #page = new Uint8Array(0);
  #bytesUncompressed = 0;

  constructor(out: ByteSink, codec: PageCodec) {
    this.#out = out;
    this.#codec = codec;
  }

  write(values: Int32Array | Runs, { name, rows, maxSeqLength }: ChunkShape): ColumnMeta {
    const start = this.#out.length;
    this.#bytesUncompressed = 0;
    const way = values instanceof Int32Array ? this.#smallest(values) : runsEncoding(values);
    if (way.dictionary !== undefined) this.#dictionaryPage(way.dictionary);
    const dataPageOffset = this.#out.length;
    const rowsPerPage = Math.max(1, Math.floor(pageValuesMax / maxSeqLength));
    for (let row = 0; row < rows; row += rowsPerPage) {
      this.#dataPage(way, { from: row, to: Math.min(row + rowsPerPage, rows), maxSeqLength });
    }
    return {
      name,
      codec: this.#codec.name,
      encodings: way.dictionary === undefined ? [way.id, encodings.rle] : [encodings.plain, encodings.rle, way.id],
      values: rows * maxSeqLength,
      bytesUncompressed: this.#bytesUncompressed,
      bytesCompressed: this.#out.length - start,
      dataPageOffset,
      dictionaryPageOffset: way.dictionary === undefined ? null : start,
      min: way.min,
      max: way.max,
    };
  }

  /** The encoding that makes the first values smallest, the dictionary's bytes counted in. */
  #smallest(values: Int32Array): ValueEncoding {
    const sample = Math.min(values.length, sampleValues);
    const cost = (way: ValueEncoding): number => {
      const bytes = this.#codec.compress(this.#layOut([], way.page(0, sample))).length;
      return (bytes * values.length) / sample + (way.dictionary?.byteLength ?? 0);
    };
    return encodingsFor(values)
      .map((way) => ({ way, cost: cost(way) }))
      .reduce((best, next) => (next.cost < best.cost ? next : best)).way;
  }

  #dictionaryPage(dictionary: Int32Array): void {
    const bytes = new Uint8Array(dictionary.buffer, dictionary.byteOffset, dictionary.byteLength);
    const header = (page: ThriftStruct): unknown => page.struct(7, (fields) => fields.i32(1, dictionary.length).i32(2, encodings.plain));
    this.#put(bytes, pageTypes.dictionary, header);
  }

  #dataPage(way: ValueEncoding, { from, to, maxSeqLength }: { from: number; to: number; maxSeqLength: number }): void {
    const levels = [repetitionLevels(to - from, maxSeqLength), definitionLevels((to - from) * maxSeqLength)];
    const bytes = this.#layOut(levels, way.page(from * maxSeqLength, to * maxSeqLength));
    const header = (page: ThriftStruct): unknown =>
      page.struct(5, (fields) =>
        fields
          .i32(1, (to - from) * maxSeqLength)
          .i32(2, way.id)
          .i32(3, encodings.rle)
          .i32(4, encodings.rle),
      );
    this.#put(bytes, pageTypes.data, header);
  }

  /** Levels, prefix and values in one buffer, placed so that the values start at a multiple of 4. */
  #layOut(levels: readonly Uint8Array[], { prefix, bytes, fill }: PageValues): Uint8Array {
    const head = [...levels, prefix];
    const headBytes = head.reduce((sum, piece) => sum + piece.length, 0);
    const start = -headBytes & 3;
    const end = start + headBytes + bytes;
    if (this.#page.length < end) this.#page = new Uint8Array(end);
    let at = start;
    for (const piece of head) {
      this.#page.set(piece, at);
      at += piece.length;
    }
    fill(this.#page.subarray(at, end));
    return this.#page.subarray(start, end);
  }

  #put(bytes: Uint8Array, type: number, fields: (page: ThriftStruct) => unknown): void {
    const compressed = this.#codec.compress(bytes);
    const before = this.#out.length;
    writeStruct(this.#out, (page) => fields(page.i32(1, type).i32(2, bytes.length).i32(3, compressed.length)));
    this.#bytesUncompressed += this.#out.length - before + bytes.length;
    this.#out.append(compressed);
  }
}

/** Of each row's values the first starts a list (0), all others go on in it (1). */
function repetitionLevels(rows: number, maxSeqLength: number): Uint8Array {
  const levels = new ByteSink();
  if (maxSeqLength === 1) writeRun(levels, { count: rows, place: 0, width: 1 });
  else {
    for (let row = 0; row < rows; row++) {
      writeRun(levels, { count: 1, place: 0, width: 1 });
      writeRun(levels, { count: maxSeqLength - 1, place: 1, width: 1 });
    }
  }
  return withLength(levels.view());
}

/** Every list and every element is there: level 3 throughout (optional list, repeated group, optional element). */
function definitionLevels(values: number): Uint8Array {
  const levels = new ByteSink();
  writeRun(levels, { count: values, place: 3, width: 2 });
  return withLength(levels.view());
}

function withLength(levels: Uint8Array): Uint8Array {
  const out = new ByteSink(levels.length + 4);
  out.uint32(levels.length);
  out.append(levels);
  return out.copy();
}
