/** zstd on whole buffers, as WebAssembly: the same bytes on every machine. */
export interface Zstd {
  /** One frame that tells the size of its contents. */
  compress(contents: Uint8Array, level: number): Uint8Array;
  /** Contents of one such frame. */
  decompress(frame: Uint8Array): Uint8Array;
}

const frameMagic = 0xfd2fb528;

/**
 * The size of its contents as a frame's head says it: `decompress` asks for so much memory before it looks further.
 * @returns undefined where it says none, or where no frame begins.
 * Source: RFC 8878, section 3.1.1.1
 */
export function contentBytesOf(frame: Uint8Array): number | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== frameMagic) return undefined;
  const flags = bytes.readUInt8(4);
  const single = (flags >> 5) & 1;
  const at = 5 + (1 - single) + ([0, 1, 2, 4][flags & 3] as number);
  const size = flags >> 6 === 0 ? single : 1 << (flags >> 6);
  if (size === 0 || at + size > bytes.length) return undefined;
  if (size === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}

/** The library and its version, which shape the bytes, for the `uses` of a step. */
export const zstdUse = '@bokuweb/zstd-wasm@0.0.27';

/** A second call of `init` would put another instance under a frame that is being made. */
let ready: Promise<Zstd> | undefined;

/** Loaded where it is used only: it takes some milliseconds and a megabyte. */
export function loadZstd(): Promise<Zstd> {
  ready ??= load();
  return ready;
}

async function load(): Promise<Zstd> {
  const { compress, decompress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return { compress, decompress };
}
