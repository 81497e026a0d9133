/** zstd on whole buffers, as WebAssembly: the same bytes on every machine. */
export interface Zstd {
  /** One frame that tells the size of its contents. */
  compress(contents: Uint8Array, level: number): Uint8Array;
  /** Contents of one such frame. */
  decompress(frame: Uint8Array): Uint8Array;
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
