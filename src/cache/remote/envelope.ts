import { digestHex } from '../../base/digest.ts';
import { isDigest } from './layout.ts';
import { isSigned, type Signer } from './signing.ts';

const format = 'dsbuild remote 1';
const headBytesMax = 4096;

export type RecordKind = 'target' | 'pack';

/** What a record is, and which one: a target's key, or `<head>/<run>-<n>`. Without the scope, so that a record may move up to another. */
export interface RecordName {
  readonly kind: RecordKind;
  readonly name: string;
}

/** A record that was opened: `damaged` bytes are not the ones that were written, or are not written for this place. */
export type Opened = { readonly body: Buffer; readonly signer: string | undefined } | 'damaged';

interface Head extends RecordName {
  readonly format: string;
  readonly digest: string;
  readonly signer?: string;
  readonly signature?: string;
}

/** What is signed: it covers the body by its digest, and the name, so that a record holds at one place only. */
const signedText = ({ kind, name, digest }: Pick<Head, 'kind' | 'name' | 'digest'>): string =>
  JSON.stringify({ digest, format, kind, name });

/** A record as it lies on the remote: one line of JSON that says what it is and vouches for the rest, then the body. */
export function sealRecord({ kind, name }: RecordName, body: Uint8Array, signer?: Signer): Buffer {
  const digest = digestHex(body);
  const signed = signer && { signature: signer.sign(signedText({ kind, name, digest })), signer: signer.publicKey };
  const head: Head = { digest, format, kind, name, ...signed };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** Opens a record that was found under a name. Whether its signer is to be believed is the caller's to say. */
export function openRecord(bytes: Buffer, expected: RecordName): Opened {
  const end = bytes.subarray(0, headBytesMax).indexOf(10);
  const head = end < 0 ? undefined : parseHead(bytes.toString('utf8', 0, end));
  if (head === undefined || head.format !== format || head.kind !== expected.kind || head.name !== expected.name) return 'damaged';
  const body = bytes.subarray(end + 1);
  if (!isDigest(head.digest) || digestHex(body) !== head.digest) return 'damaged';
  const { signer, signature } = head;
  if (signer === undefined && signature === undefined) return { body, signer };
  if (typeof signer !== 'string' || typeof signature !== 'string') return 'damaged';
  return isSigned(signedText(head), signer, signature) ? { body, signer } : 'damaged';
}

function parseHead(text: string): Head | undefined {
  try {
    const head: unknown = JSON.parse(text);
    return typeof head === 'object' && head !== null ? (head as Head) : undefined;
  } catch {
    return undefined;
  }
}
