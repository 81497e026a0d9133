import { createRequire } from 'node:module';

/** BLAKE3-256 of bytes, as 64 lower-case hex digits. */
export type Digest = string;

export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export interface HashEngine {
  readonly name: string;
  hash(bytes: Uint8Array): Buffer;
  hasher(): Hasher;
}

const require = createRequire(import.meta.url);
const portable = (): typeof import('blake3-wasm') => require('blake3-wasm') as typeof import('blake3-wasm');

/** WebAssembly, on every platform. Loaded only where the native package is not there. */
export const portableEngine: HashEngine = {
  name: 'blake3-wasm',
  hash: (bytes) => Buffer.from(portable().hash(bytes) as Uint8Array),
  hasher() {
    const inner = portable().createHash();
    return { update: (bytes) => void inner.update(bytes), digest: () => Buffer.from(inner.digest() as Uint8Array) };
  },
};

/** The native package is optional: about five times faster, the same digests (a test holds that). */
function nativeEngine(): HashEngine | undefined {
  try {
    const native = require('@napi-rs/blake-hash') as typeof import('@napi-rs/blake-hash');
    return {
      name: '@napi-rs/blake-hash',
      hash: (bytes) => native.blake3(bytes),
      hasher() {
        const inner = new native.Blake3Hasher();
        return { update: (bytes) => void inner.update(bytes), digest: () => inner.digestBuffer() };
      },
    };
  } catch {
    return undefined;
  }
}

export const hashEngine: HashEngine = nativeEngine() ?? portableEngine;

export const digestBytes = (bytes: Uint8Array): Buffer => hashEngine.hash(bytes);
export const digestHex = (bytes: Uint8Array | string): Digest =>
  hashEngine.hash(typeof bytes === 'string' ? Buffer.from(bytes) : bytes).toString('hex');
export const createHasher = (): Hasher => hashEngine.hasher();
