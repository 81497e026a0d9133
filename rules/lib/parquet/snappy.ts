/*
 * Snappy's raw format, for input made of 2-byte or 4-byte integers: repetitions are looked for at even addresses only. That costs half
 * of what a search at every byte does and finds the same repetitions of whole integers: about twice the speed of snappyjs on tokens of
 * English text, with smaller output.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */

const hashBits = 14;
/** Copies are written with a 16-bit offset, the longest that the reference's own compressor uses. */
const offsetMax = 65_534;
/** Of each hash the word seen last and its place; the word is kept too because comparing it here is faster than going back to its place. */
const newestWord = new Int32Array(1 << hashBits);
const newestAt = new Int32Array(1 << hashBits);

/** Upper bound of what `snappyCompress` writes for `size` bytes. */
export function snappyBytesMax(size: number): number {
  return 32 + size + Math.ceil(size / 6);
}

/**
 * Compresses `input` into `output` and returns the number of bytes written. The same bytes come out on every machine.
 *
 * @param input any bytes below 2^31; those whose integers lie at even addresses of their buffer are compressed well.
 * @param output at least `snappyBytesMax(input.length)` bytes.
 *
 * Cost: O(input), no allocation.
 */
export function snappyCompress(input: Uint8Array, output: Uint8Array): number {
  const odd = input.byteOffset & 1;
  const halves = new Uint16Array(input.buffer, input.byteOffset + odd, Math.max(input.length - odd, 0) >> 1);
  const last = halves.length - 2;
  let at = putVarint(output, input.length);
  let emitted = 0;
  let misses = 32;
  newestAt.fill(-offsetMax);
  for (let i = 0; i <= last; ) {
    const word = (halves[i] as number) | ((halves[i + 1] as number) << 16);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);
    const from = newestAt[slot] as number;
    newestAt[slot] = i;
    if (newestWord[slot] !== word || (i - from) << 1 > offsetMax) {
      newestWord[slot] = word;
      // The longer nothing repeats, the wider the steps: what can not be compressed costs next to nothing.
      i += misses++ >>> 5;
      continue;
    }
    let end = i + 2;
    for (let p = from + 2; end < halves.length && halves[p] === halves[end]; p++) end++;
    const start = odd + (i << 1);
    if (start > emitted) at = putLiteral(output, at, { bytes: input, from: emitted, to: start });
    emitted = odd + (end << 1);
    at = putCopy(output, at, { offset: (i - from) << 1, length: emitted - start });
    i = end;
    misses = 32;
  }
  return emitted < input.length ? putLiteral(output, at, { bytes: input, from: emitted, to: input.length }) : at;
}

function putLiteral(output: Uint8Array, start: number, { bytes, from, to }: { bytes: Uint8Array; from: number; to: number }): number {
  const rest = to - from - 1;
  let at = start;
  if (rest < 60) output[at++] = rest << 2;
  else {
    const sizeBytes = rest < 0x100 ? 1 : rest < 0x10000 ? 2 : rest < 0x1000000 ? 3 : 4;
    output[at++] = (59 + sizeBytes) << 2;
    for (let b = 0; b < sizeBytes; b++) output[at++] = rest >>> (8 * b);
  }
  if (rest < 64) for (let i = from; i < to; i++) output[at + i - from] = bytes[i] as number;
  else output.set(bytes.subarray(from, to), at);
  return at + to - from;
}

/** Writes one repetition as copies of at most 64 bytes: in three bytes, or in two if it is near and short. */
function putCopy(output: Uint8Array, start: number, { offset, length }: { offset: number; length: number }): number {
  let at = start;
  for (let left = length; left > 0; ) {
    const size = Math.min(left, 64);
    left -= size;
    if (size >= 4 && size < 12 && offset < 2048) {
      output[at++] = 1 | ((size - 4) << 2) | ((offset >>> 8) << 5);
      output[at++] = offset;
    } else {
      output[at++] = 2 | ((size - 1) << 2);
      output[at++] = offset;
      output[at++] = offset >>> 8;
    }
  }
  return at;
}

function putVarint(output: Uint8Array, value: number): number {
  let at = 0;
  let left = value;
  for (; left >= 0x80; left >>>= 7) output[at++] = left | 0x80;
  output[at++] = left;
  return at;
}
