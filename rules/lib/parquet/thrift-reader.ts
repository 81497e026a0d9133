import { BuildError } from '../../../src/base/errors.ts';

/** A struct's fields by number: numbers, booleans, bytes, lists and structs. */
export type ThriftFields = ReadonlyMap<number, unknown>;

/** Types of the compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
const types = { stop: 0, yes: 1, no: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, struct: 12 } as const;

/** Structs and lists within each other: a footer has six levels. */
const depthMax = 32;
/** Numbers have 64 bits. */
const varintScaleMax = 2 ** 63;

/** Reads structs of Thrift's compact protocol, one after another. */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  #depth = 0;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** @throws {BuildError} `bad-part` where the bytes are none. */
  struct(): ThriftFields {
    const fields = new Map<number, unknown>();
    for (let id = 0, head = this.#byte(); (head & 15) !== types.stop; head = this.#byte()) {
      id = head >> 4 === 0 ? this.#signed() : id + (head >> 4);
      fields.set(id, this.#value(head & 15));
    }
    return fields;
  }

  #value(type: number): unknown {
    switch (type) {
      case types.yes:
      case types.no:
        return type === types.yes;
      case types.byte:
        return (this.#byte() << 24) >> 24;
      case types.i16:
      case types.i32:
      case types.i64:
        return this.#signed();
      case types.double:
        return this.#take(8);
      case types.binary:
        return this.#take(this.#varint());
      case types.list:
      case types.set:
        return this.#within(() => this.#list());
      case types.struct:
        return this.#within(() => this.struct());
      default:
        throw notThrift(`there is no type ${type}`);
    }
  }

  #within<T>(read: () => T): T {
    if (++this.#depth > depthMax) throw notThrift('it is nested too deeply');
    const value = read();
    this.#depth--;
    return value;
  }

  #list(): unknown[] {
    const head = this.#byte();
    const count = head >> 4 === 15 ? this.#varint() : head >> 4;
    const type = head & 15;
    // Each value takes a byte at least.
    if (count > this.#bytes.length - this.at) throw notThrift('it ends too early');
    // In lists a boolean is a byte of its own.
    const isBoolean = type === types.yes || type === types.no;
    return Array.from({ length: count }, () => (isBoolean ? this.#byte() === types.yes : this.#value(type)));
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw notThrift('it ends too early');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw notThrift('it ends too early');
    return this.#bytes[this.at++] as number;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (scale > varintScaleMax) throw notThrift('a number does not end');
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  #signed(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const notThrift = (seen: string): BuildError =>
  new BuildError('bad-part', { message: `the metadata of a Parquet file can not be read: ${seen}` });
