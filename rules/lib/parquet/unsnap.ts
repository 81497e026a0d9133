import { BuildError } from '../../../src/base/errors.ts';

const bad = (seen: string): BuildError => new BuildError('bad-part', { message: `a Snappy block can not be read: ${seen}` });

/** The size that the block itself says. */
function sizeSaid(input: Uint8Array): { size: number; at: number } {
  let size = 0;
  for (let at = 0, scale = 1; at < Math.min(input.length, 5); at++, scale *= 128) {
    const byte = input[at] as number;
    size += (byte & 127) * scale;
    if (byte < 128) return { size, at: at + 1 };
  }
  throw bad('it does not say its size');
}

/**
 * What a raw Snappy block holds, in `size` bytes.
 * @throws {BuildError} `bad-part` where it is none, or one of another size.
 * Source: https://github.com/google/snappy/blob/main/format_description.txt
 */
export function snappyUncompress(input: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const said = sizeSaid(input);
  // Before anything of that size is asked for: a copy of 64 bytes takes three, and all else more.
  if (said.size !== size || size > input.length * 64) throw bad(`it holds ${said.size} bytes instead of ${size}`);
  const output = new Uint8Array(size);
  let at = said.at;
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
      if (at + length + 1 > input.length || to + length + 1 > size) throw bad('a piece of it is too long');
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
    if (!(offset > 0 && offset <= to && to + length <= size)) throw bad('it repeats what is not there');
    if (offset >= length) output.copyWithin(to, to - offset, to - offset + length);
    else for (let i = 0; i < length; i++) output[to + i] = output[to + i - offset] as number;
    to += length;
  }
  if (to !== size) throw bad('it ends too early');
  return output;
}
