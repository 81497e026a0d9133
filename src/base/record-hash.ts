/** Records up to this length are hashed whole; of longer ones a sample is taken. */
const wholeBytesMax = 256;
const edgeBytes = 64;
const spreadCount = 15;
const spreadBytes = 8;

const multiplierA = 0x9e3779b1;
const multiplierB = 0x85ebca77;

/** Murmur3's 32-bit finaliser: every input bit reaches every output bit. */
export function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const spreadStep = (length: number): number => Math.floor((length - spreadBytes) / (spreadCount + 1));

/** Words go to two lanes in turn, because a multiplication would wait for the one before it. */
const lanes = new Int32Array(2);

/** Mixes `count` pairs of words, each pair `step` bytes after the one before. */
function mixPairs(view: DataView, at: number, step: number, count: number): void {
  let a = lanes[0] as number;
  let b = lanes[1] as number;
  for (let i = 0, from = at; i < count; i++, from += step) {
    a = Math.imul(a ^ view.getInt32(from, true), multiplierA);
    a ^= a >>> 15;
    b = Math.imul(b ^ view.getInt32(from + 4, true), multiplierB);
    b ^= b >>> 15;
  }
  lanes[0] = a;
  lanes[1] = b;
}

/** The last 0 to 7 bytes, padded with zeros: the length tells padding from data. */
function mixRest(view: DataView, from: number, end: number): void {
  for (let at = from, shift = 0; at < end; at++, shift += 8) {
    const lane = shift < 32 ? 0 : 1;
    lanes[lane] = (lanes[lane] as number) ^ (view.getUint8(at) << (shift & 31));
  }
}

function mixSample(view: DataView, start: number, end: number): void {
  const step = spreadStep(end - start);
  mixPairs(view, start, 8, edgeBytes / 8);
  mixPairs(view, start + step, step, spreadCount);
  mixPairs(view, end - edgeBytes, 8, edgeBytes / 8);
}

function startLanes(): void {
  lanes[0] = multiplierB;
  lanes[1] = multiplierA;
}

function join(length: number): number {
  const high = Math.floor(length / 0x1_0000_0000);
  return finish(Math.imul(finish((lanes[0] as number) ^ length), multiplierA) ^ finish((lanes[1] as number) ^ high));
}

/**
 * The record hash `u` of `view[start, end)`: 32 bits, from its length and all of its bytes (up to 256) or a sample of them. It decides where
 * chunks end, so it is pinned: little-endian whatever the machine, the same at any alignment. Not a checksum: two records may share it.
 *
 * @returns an unsigned 32-bit integer. Cost: at most 64 word loads, whatever the record's length.
 */
export function recordHashAt(view: DataView, start: number, end: number): number {
  const length = end - start;
  startLanes();
  if (length > wholeBytesMax) mixSample(view, start, end);
  else {
    mixPairs(view, start, 8, length >> 3);
    mixRest(view, end - (length & 7), end);
  }
  return join(length);
}

/** `recordHashAt` of all of `record`. */
export function recordHash(record: Uint8Array): number {
  return recordHashAt(new DataView(record.buffer, record.byteOffset, record.byteLength), 0, record.byteLength);
}

/**
 * The same hash of a record that is too long to be held in memory.
 *
 * @param read gives the bytes `[offset, offset + bytes)` of the record; called 17 times for a long one, for 248 bytes in all.
 */
export function recordHashOfLong(length: number, read: (offset: number, bytes: number) => Uint8Array): number {
  if (length <= wholeBytesMax) return recordHash(read(0, length));
  const step = spreadStep(length);
  const spread = Array.from({ length: spreadCount }, (_, i) => read((i + 1) * step, spreadBytes));
  const sample = Buffer.concat([read(0, edgeBytes), ...spread, read(length - edgeBytes, edgeBytes)]);
  startLanes();
  mixPairs(new DataView(sample.buffer, sample.byteOffset, sample.byteLength), 0, 8, sample.length / 8);
  return join(length);
}
