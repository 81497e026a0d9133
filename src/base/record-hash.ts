/** Records up to this length are hashed whole; of longer ones a sample is taken. */
const wholeBytesMax = 256;
const edgeBytes = 64;
const spreadWords = 15;
const wordBytes = 8;

const multiplierA = 0x9e3779b1;
const multiplierB = 0x85ebca77;

/** The bytes of a long record that are looked at, in order: its first 64, 15 words of 8 spread evenly, its last 64. */
function sampleOffset(length: number, word: number): number {
  return word * Math.floor((length - wordBytes) / (spreadWords + 1));
}

/** Murmur3's 32-bit finaliser: every input bit reaches every output bit. */
export function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function join(length: number, a: number, b: number): number {
  const high = Math.floor(length / 2 ** 32);
  return finish(Math.imul(finish(a ^ length), multiplierA) ^ finish(b ^ high));
}

/**
 * The record hash `u` of `view[start, end)`: 32 bits, from its length and all of its bytes (up to 256) or a sample of them. It decides where
 * chunks end, so it is pinned: little-endian whatever the machine, the same at any alignment. Not a checksum: two records may share it.
 *
 * @returns an unsigned 32-bit integer. Cost: at most 64 word loads, whatever the record's length.
 */
export function recordHashAt(view: DataView, start: number, end: number): number {
  const length = end - start;
  return length <= wholeBytesMax ? hashWhole(view, start, end) : hashSample(view, start, end);
}

export function recordHash(record: Uint8Array): number {
  return recordHashAt(new DataView(record.buffer, record.byteOffset, record.byteLength), 0, record.byteLength);
}

// Two lanes, because a multiplication waits for the one before it: words go to lane a and lane b in turn.
function hashWhole(view: DataView, start: number, end: number): number {
  let a = multiplierB;
  let b = multiplierA;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    a = Math.imul(a ^ view.getInt32(at, true), multiplierA);
    a ^= a >>> 15;
    b = Math.imul(b ^ view.getInt32(at + 4, true), multiplierB);
    b ^= b >>> 15;
  }
  for (let shift = 0; at < end; at++, shift += 8) {
    if (shift < 32) a ^= view.getUint8(at) << shift;
    else b ^= view.getUint8(at) << (shift - 32);
  }
  return join(end - start, a, b);
}

function hashSample(view: DataView, start: number, end: number): number {
  const length = end - start;
  const step = Math.floor((length - wordBytes) / (spreadWords + 1));
  let a = multiplierB;
  let b = multiplierA;
  for (let at = start; at < start + edgeBytes; at += 8) {
    a = Math.imul(a ^ view.getInt32(at, true), multiplierA);
    a ^= a >>> 15;
    b = Math.imul(b ^ view.getInt32(at + 4, true), multiplierB);
    b ^= b >>> 15;
  }
  for (let word = 1, at = start + step; word <= spreadWords; word++, at += step) {
    a = Math.imul(a ^ view.getInt32(at, true), multiplierA);
    a ^= a >>> 15;
    b = Math.imul(b ^ view.getInt32(at + 4, true), multiplierB);
    b ^= b >>> 15;
  }
  for (let at = end - edgeBytes; at < end; at += 8) {
    a = Math.imul(a ^ view.getInt32(at, true), multiplierA);
    a ^= a >>> 15;
    b = Math.imul(b ^ view.getInt32(at + 4, true), multiplierB);
    b ^= b >>> 15;
  }
  return join(length, a, b);
}

/**
 * The same hash of a record that is too long to be held in memory.
 *
 * @param read gives the bytes `[offset, offset + size)` of the record; called 17 times, for 248 bytes in all.
 */
export function recordHashOfLong(length: number, read: (offset: number, size: number) => Uint8Array): number {
  if (length <= wholeBytesMax) return recordHash(read(0, length));
  const sample = Buffer.allocUnsafe(2 * edgeBytes + spreadWords * wordBytes);
  sample.set(read(0, edgeBytes), 0);
  for (let word = 1; word <= spreadWords; word++) {
    sample.set(read(sampleOffset(length, word), wordBytes), edgeBytes + (word - 1) * wordBytes);
  }
  sample.set(read(length - edgeBytes, edgeBytes), edgeBytes + spreadWords * wordBytes);
  return recordHash(sample);
}
