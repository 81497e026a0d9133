/**
 * What a raw Snappy block holds, in `size` bytes.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
export function snappyUncompress(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(size);
  let at = 0;
  while ((input[at] as number) >= 0x80) at++;
  at++;
  let to = 0;
  while (at < input.length) {
    const tag = input[at++] as number;
    if ((tag & 3) === 0) {
      let length = tag >> 2;
      const sizeBytes = length - 59;
      if (sizeBytes > 0) {
        length = 0;
        for (let b = 0; b < sizeBytes; b++) length += (input[at++] as number) * 2 ** (8 * b);
      }
      output.set(input.subarray(at, at + length + 1), to);
      at += length + 1;
      to += length + 1;
      continue;
    }
    const isNear = (tag & 3) === 1;
    const length = isNear ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    let offset = isNear ? (tag >> 5) << 8 : 0;
    const offsetBytes = isNear ? 1 : (tag & 3) === 2 ? 2 : 4;
    for (let b = 0; b < offsetBytes; b++) offset += (input[at++] as number) * 2 ** (8 * b);
    if (offset >= length) output.copyWithin(to, to - offset, to - offset + length);
    else for (let i = 0; i < length; i++) output[to + i] = output[to + i - offset] as number;
    to += length;
  }
  return output;
}
