import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';

/**
 * A selection of the records of a `lines` part. Filters give views, so that 2 TB of text stay 2 TB.
 * Bytes: one line of JSON, then one bit a record of the base, lowest bit first.
 */
export interface View {
  readonly base: Digest;
  /** Records (lines) of the base. */
  readonly records: number;
  readonly bitmap: Uint8Array;
}

export const isSelected = (view: View, record: number): boolean => (((view.bitmap[record >> 3] ?? 0) >> (record & 7)) & 1) === 1;

export function emptyBitmap(records: number): Uint8Array {
  return new Uint8Array((records + 7) >> 3);
}

export function select(bitmap: Uint8Array, record: number): void {
  bitmap[record >> 3] = (bitmap[record >> 3] as number) | (1 << (record & 7));
}

export function encodeView(view: View): Buffer {
  const head = `${JSON.stringify({ view: 1, base: view.base, records: view.records })}\n`;
  return Buffer.concat([Buffer.from(head), view.bitmap]);
}

type Head = { readonly view?: number; readonly base?: string; readonly records?: number };

function decodeHead(bytes: Buffer): Head {
  try {
    return JSON.parse(bytes.toString('utf8')) as Head;
  } catch {
    return {};
  }
}

/** @throws {BuildError} `bad-part` when the bytes are not those of a view. */
export function decodeView(bytes: Buffer): View {
  const end = bytes.indexOf(10);
  const head = decodeHead(bytes.subarray(0, Math.max(end, 0)));
  const bitmap = bytes.subarray(end + 1);
  if (head.view !== 1 || head.base === undefined || head.records === undefined || bitmap.length !== (head.records + 7) >> 3) {
    throw new BuildError('bad-part', { message: 'a view is damaged: its head and its bitmap do not fit' });
  }
  return { base: head.base, records: head.records, bitmap };
}
