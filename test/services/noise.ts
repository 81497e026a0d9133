/** Bytes that look like nothing in particular, the same in every run. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0, x = seed; at < length; at++) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    bytes[at] = x >>> 24;
  }
  return bytes;
}
