import { BuildError } from '../../../src/base/errors.ts';
import { type Codec, codecIds } from './format.ts';
import { snappyBytesMax, snappyCompress } from './snappy.ts';

/** Compresses a page; the answer is good until the next call. */
export type Compress = (page: Uint8Array) => Uint8Array;

const makers: Record<Codec, () => Compress> = { none: () => (page) => page, snappy: snappyCodec };

/** @throws {BuildError} `bad-params` for a codec that this version does not write. */
export function codecFor(codec: Codec): Compress {
  if (!Object.hasOwn(makers, codec)) {
    throw new BuildError('bad-params', { message: `no codec is named '${codec}'`, hint: `One of: ${Object.keys(codecIds).join(', ')}.` });
  }
  return makers[codec]();
}

function snappyCodec(): Compress {
  let scratch = new Uint8Array(0);
  return (page) => {
    const wanted = snappyBytesMax(page.length);
    if (scratch.length < wanted) scratch = new Uint8Array(wanted);
    return scratch.subarray(0, snappyCompress(page, scratch));
  };
}
