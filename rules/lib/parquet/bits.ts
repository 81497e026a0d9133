/** Bits that tell `count` values apart; one at least, as other writers do: not all readers accept none. */
export function bitsFor(count: number): number {
  return count <= 2 ? 1 : 32 - Math.clz32(count - 1);
}

/** Where each value's place in a dictionary is found: `slots[value - min]`, written with `width` bits (at most 24). */
export interface Places {
  readonly slots: Int32Array;
  readonly min: number;
  readonly width: number;
}

/**
 * Writes the values' places one after another, least significant bit first, and zeros up to the end of `target`.
 *
 * @param target starts at a multiple of 4 of its buffer.
 */
export function packBits(values: Int32Array, target: Uint8Array, places: Places): void {
  if (places.width === 16) packHalves(values, target, places);
  else if (places.width === 8) packBytes(values, target, places);
  else packOdd(values, target, places);
}

function packHalves(values: Int32Array, target: Uint8Array, { slots, min }: Places): void {
  const halves = new Uint16Array(target.buffer, target.byteOffset, target.length >> 1);
  for (let i = 0; i < values.length; i++) halves[i] = slots[(values[i] as number) - min] as number;
  halves.fill(0, values.length);
}

function packBytes(values: Int32Array, target: Uint8Array, { slots, min }: Places): void {
  for (let i = 0; i < values.length; i++) target[i] = slots[(values[i] as number) - min] as number;
  target.fill(0, values.length);
}

function packOdd(values: Int32Array, target: Uint8Array, { slots, min, width }: Places): void {
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    bits |= (slots[(values[i] as number) - min] as number) << held;
    for (held += width; held >= 8; held -= 8) {
      target[at++] = bits;
      bits >>>= 8;
    }
  }
  if (held > 0) target[at++] = bits;
  target.fill(0, at);
}
