import { bitsFor, packBits } from './bits.ts';
import { ByteSink } from './bytes.ts';
import type { Runs } from './columns.ts';
import { encodings } from './format.ts';

/** The values of one page: `prefix`, then `bytes` bytes that `fill` writes to a place that starts at a multiple of 4. */
export interface PageValues {
  readonly prefix: Uint8Array;
  readonly bytes: number;
  fill(target: Uint8Array): void;
}

/** One way to write a column's values. */
export interface ValueEncoding {
  /** Parquet's number for the encoding of its data pages. */
  readonly id: number;
  /** The distinct values, rising, when pages hold places in it. */
  readonly dictionary: Int32Array | undefined;
  readonly min: number;
  readonly max: number;
  /** The values `from` to `to`, as a page holds them. */
  page(from: number, to: number): PageValues;
}

/** Up to this many ids between a column's least and greatest value its dictionary is made with a table instead of a map. */
const tableSlotsMax = 1 << 20;
const none = new Uint8Array(0);

/**
 * The ways to write `values` (at least one) that are worth a try, the most likely first.
 *
 * Places in a dictionary are written with whole bytes too, where fewer bits would do: a compressor that works on bytes finds what
 * repeats only if equal values look alike at every place (on English text 0.77 instead of 1.14 bytes a token).
 */
export function encodingsFor(values: Int32Array): ValueEncoding[] {
  const range = rangeOf(values);
  const plain = plainEncoding(values, range);
  if (range.max - range.min >= tableSlotsMax) return [plain];
  const { dictionary, slots } = dictionaryOf(values, range);
  const bits = bitsFor(dictionary.length);
  const wholeBytes = bits <= 8 ? 8 : 16;
  const places = (width: number): ValueEncoding => ({
    id: encodings.rleDictionary,
    dictionary,
    ...range,
    page: (from, to) => bitPackedPage(values.subarray(from, to), { slots, min: range.min, width }),
  });
  return bits < wholeBytes ? [places(wholeBytes), places(bits), plain] : [places(bits), plain];
}

/** Writes values that are given as runs: each run costs a few bytes, whatever its length. */
export function runsEncoding({ values, lengths }: Runs): ValueEncoding {
  const dictionary = Int32Array.from(new Set(values)).sort();
  const placeOf = new Map(Array.from(dictionary, (value, place) => [value, place]));
  const width = bitsFor(dictionary.length);
  const ends = new Float64Array(lengths.length);
  for (let r = 0, end = 0; r < lengths.length; r++) ends[r] = end += lengths[r] as number;
  return {
    id: encodings.rleDictionary,
    dictionary,
    min: dictionary[0] as number,
    max: dictionary.at(-1) as number,
    page(from, to) {
      const out = new ByteSink();
      out.byte(width);
      let at = from;
      for (let r = firstAbove(ends, from); at < to; r++) {
        const next = Math.min(ends[r] as number, to);
        writeRun(out, { count: next - at, place: placeOf.get(values[r] as number) as number, width });
        at = next;
      }
      return { prefix: out.copy(), bytes: 0, fill: () => {} };
    },
  };
}

/** One run of Parquet's run-length encoding: its count and one value of `width` bits. */
export function writeRun(to: ByteSink, { count, place, width }: { count: number; place: number; width: number }): void {
  to.varint(count * 2);
  for (let bits = 0; bits < width; bits += 8) to.byte(place >>> bits);
}

function plainEncoding(values: Int32Array, range: { min: number; max: number }): ValueEncoding {
  return {
    id: encodings.plain,
    dictionary: undefined,
    ...range,
    page: (from, to) => ({
      prefix: none,
      bytes: (to - from) * 4,
      fill: (target) => new Int32Array(target.buffer, target.byteOffset, to - from).set(values.subarray(from, to)),
    }),
  };
}

/** One bit-packed run: its values are counted in eights, the last filled up with zeros. */
function bitPackedPage(values: Int32Array, { slots, min, width }: { slots: Int32Array; min: number; width: number }): PageValues {
  const eights = Math.ceil(values.length / 8);
  const prefix = new ByteSink(8);
  prefix.byte(width);
  prefix.varint(eights * 2 + 1);
  return { prefix: prefix.copy(), bytes: eights * width, fill: (target) => packBits(values, target, { slots, min, width }) };
}

function rangeOf(values: Int32Array): { min: number; max: number } {
  let min = values[0] as number;
  let max = min;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return { min, max };
}

/** The distinct values, rising, and for each value above `min` its place among them. */
function dictionaryOf(values: Int32Array, { min, max }: { min: number; max: number }): { dictionary: Int32Array; slots: Int32Array } {
  const slots = new Int32Array(max - min + 1);
  for (let i = 0; i < values.length; i++) slots[(values[i] as number) - min] = 1;
  let distinct = 0;
  for (let s = 0; s < slots.length; s++) distinct += slots[s] as number;
  const dictionary = new Int32Array(distinct);
  let place = 0;
  for (let s = 0; s < slots.length; s++) {
    if (slots[s] === 0) continue;
    dictionary[place] = s + min;
    slots[s] = place++;
  }
  return { dictionary, slots };
}

/** The first index whose value is above `limit`, in rising values. */
function firstAbove(rising: Float64Array, limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
