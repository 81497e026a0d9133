import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { BuildError } from '../../base/errors.ts';

/** Ed25519 keys as text, 32 bytes in base64url (RFC 8032). The bits of the last character that hold none are 0: one text for one key. */
const publicForm = /^ed25519:([\w-]{42}[AEIMQUYcgkosw048])$/;
const secretForm = /^ed25519-secret:([\w-]{42}[AEIMQUYcgkosw048])$/;
/** 64 bytes, in the same way. */
const signatureForm = /^[\w-]{85}[AQgw]$/;
/** What stands in front of the 32 bytes in DER: RFC 8410. */
const publicDer = Buffer.from('302a300506032b6570032100', 'hex');
const secretDer = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Who signs records: the public key as text, and what makes signatures with the other. */
export interface Signer {
  readonly publicKey: string;
  sign(text: string): string;
}

const publicText = (key: KeyObject): string =>
  `ed25519:${key.export({ format: 'der', type: 'spki' }).subarray(publicDer.length).toString('base64url')}`;

/** A new pair. The secret one goes into a file or a vault, and nowhere else. */
export function newKeyPair(): { publicKey: string; secretKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(secretDer.length);
  return { publicKey: publicText(publicKey), secretKey: `ed25519-secret:${seed.toString('base64url')}` };
}

export const isPublicKey = (text: unknown): text is string => typeof text === 'string' && publicForm.test(text);

/**
 * @param variable the environment variable that it came from; the key itself is never shown.
 * @throws {BuildError} `bad-signing-key`
 */
export function signerOf(secretKey: string, variable: string): Signer {
  const [, seed] = secretForm.exec(secretKey.trim()) ?? [];
  if (seed === undefined)
    throw new BuildError('bad-signing-key', {
      message: `${variable} does not hold a signing key`,
      where: variable,
      hint: 'It is one line that begins with ed25519-secret: and is made by `dsbuild cache keygen`.',
    });
  const key = createPrivateKey({ key: Buffer.concat([secretDer, Buffer.from(seed, 'base64url')]), format: 'der', type: 'pkcs8' });
  return {
    publicKey: publicText(createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
}

/** Whether the signature is that of this text by this key; false for keys and signatures that are none. */
export function isSigned(text: string, publicKey: string, signature: string): boolean {
  const [, bytes] = publicForm.exec(publicKey) ?? [];
  if (bytes === undefined || !signatureForm.test(signature)) return false;
  try {
    const key = createPublicKey({ key: Buffer.concat([publicDer, Buffer.from(bytes, 'base64url')]), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}
