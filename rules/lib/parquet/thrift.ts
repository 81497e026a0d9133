import { type ByteSink, utf8 } from './bytes.ts';

/*
 * The part of Thrift's compact protocol that Parquet's metadata needs.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
const types = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 };

/** Writes the fields of one struct, in rising order of their ids; numbers up to 2^53. */
export class ThriftStruct {
  readonly #to: ByteSink;
  #lastId = 0;

  constructor(to: ByteSink) {
    this.#to = to;
  }

  i32(id: number, value: number): this {
    this.#field(id, types.i32).varint(zigzag(value));
    return this;
  }

  i64(id: number, value: number): this {
    this.#field(id, types.i64).varint(zigzag(value));
    return this;
  }

  binary(id: number, value: Uint8Array | string): this {
    writeBinary(this.#field(id, types.binary), value);
    return this;
  }

  struct(id: number, fields: (struct: ThriftStruct) => void): this {
    writeStruct(this.#field(id, types.struct), fields);
    return this;
  }

  i32s(id: number, values: readonly number[]): this {
    const to = this.#list(id, types.i32, values.length);
    for (const value of values) to.varint(zigzag(value));
    return this;
  }

  strings(id: number, values: readonly string[]): this {
    const to = this.#list(id, types.binary, values.length);
    for (const value of values) writeBinary(to, value);
    return this;
  }

  structs<T>(id: number, items: readonly T[], fields: (struct: ThriftStruct, item: T) => void): this {
    const to = this.#list(id, types.struct, items.length);
    for (const item of items) writeStruct(to, (struct) => fields(struct, item));
    return this;
  }

  #list(id: number, type: number, length: number): ByteSink {
    const to = this.#field(id, types.list);
    to.byte((Math.min(length, 15) << 4) | type);
    if (length >= 15) to.varint(length);
    return to;
  }

  #field(id: number, type: number): ByteSink {
    const step = id - this.#lastId;
    if (step < 1 || step > 15) throw new RangeError(`field ${id} can not follow field ${this.#lastId}`);
    this.#to.byte((step << 4) | type);
    this.#lastId = id;
    return this.#to;
  }
}

/** Appends one whole struct. */
export function writeStruct(to: ByteSink, fields: (struct: ThriftStruct) => void): void {
  fields(new ThriftStruct(to));
  to.byte(0);
}

function writeBinary(to: ByteSink, value: Uint8Array | string): void {
  const bytes = typeof value === 'string' ? utf8(value) : value;
  to.varint(bytes.length);
  to.append(bytes);
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
