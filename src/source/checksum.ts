import { createHasher } from '../base/digest.ts';

/** A quick fingerprint of a chunk's bytes: tells whether they changed, names nothing. */
export type Checksum = (pieces: Iterable<Uint8Array>) => bigint;

/** Pieces of this size stay in the processor's cache on their way into WebAssembly memory, which never grows beyond a few of them. */
const pieceBytes = 256 * 1024;

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

let loading: Promise<Checksum> | undefined;

const compile = async () => (await import('xxhash-wasm')).default();

/** xxh64 of the joined pieces. The module is compiled once per thread. */
export function loadChecksum(): Promise<Checksum> {
  loading ??= compile().then(({ create64 }) => (pieces) => {
    const state = create64();
    for (const piece of pieces) for (const part of piecesOf(piece)) state.update(part);
    return state.digest();
  });
  return loading;
}

/** BLAKE3 of the joined pieces, 32 bytes. */
export function digestPieces(pieces: Iterable<Uint8Array>): Buffer {
  const hasher = createHasher();
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}
