import { BuildError, messageOf } from '../../../src/base/errors.ts';
import { utf8 } from './bytes.ts';
import { type ColumnMeta, codecIds, type RowGroupMeta } from './format.ts';

/*
 * A row group's part: its bytes, its meta as JSON, and a trailer of two little-endian words: the JSON's length and the magic 'DSRG'.
 * The bytes come first so that they can be copied into a shard as they are.
 */
const magic = 0x47525344;
const trailerBytes = 8;

/** One part that holds a row group's bytes and its meta. */
export function encodeRowGroupPart({ bytes, meta }: { bytes: Uint8Array; meta: RowGroupMeta }): Uint8Array<ArrayBuffer> {
  const json = utf8(JSON.stringify(meta));
  const part = new Uint8Array(bytes.length + json.length + trailerBytes);
  part.set(bytes);
  part.set(json, bytes.length);
  const trailer = new DataView(part.buffer, bytes.length + json.length);
  trailer.setUint32(0, json.length, true);
  trailer.setUint32(4, magic, true);
  return part;
}

/**
 * The row group in a part; `bytes` is a view on it.
 *
 * @throws {BuildError} `bad-part` for anything that `encodeRowGroupPart` can not have written.
 */
export function decodeRowGroupPart(part: Uint8Array): { bytes: Uint8Array; meta: RowGroupMeta } {
  if (part.length < trailerBytes) throw badPart(`${part.length} bytes are less than a trailer`);
  const trailer = new DataView(part.buffer, part.byteOffset + part.length - trailerBytes, trailerBytes);
  if (trailer.getUint32(4, true) !== magic) throw badPart('it does not end with the magic word');
  const jsonStart = part.length - trailerBytes - trailer.getUint32(0, true);
  if (jsonStart < 0) throw badPart('its meta is longer than the part');
  const meta = parseMeta(part.subarray(jsonStart, part.length - trailerBytes));
  if (meta.bytes !== jsonStart) throw badPart(`its meta tells of ${meta.bytes} bytes, it has ${jsonStart}`);
  return { bytes: part.subarray(0, jsonStart), meta };
}

function parseMeta(json: Uint8Array): RowGroupMeta {
  let meta: RowGroupMeta;
  try {
    meta = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw badPart(`its meta is not JSON: ${messageOf(cause)}`);
  }
  if (!isMeta(meta)) throw badPart('its meta is not that of a row group');
  return meta;
}

function isMeta(meta: RowGroupMeta | null): meta is RowGroupMeta {
  if (typeof meta !== 'object' || meta === null || !isCount(meta.rows) || !isCount(meta.bytes) || !Array.isArray(meta.columns))
    return false;
  if (Object.values(meta.keyValues ?? {}).some((value) => typeof value !== 'string')) return false;
  let end = 0;
  for (const column of meta.columns as (ColumnMeta | null)[]) {
    if (column === null || !Object.hasOwn(codecIds, column.codec)) return false;
    const start = column.dictionaryPageOffset ?? column.dataPageOffset;
    if (typeof column.name !== 'string' || start !== end || !isCount(column.bytesCompressed) || column.dataPageOffset < start) return false;
    end += column.bytesCompressed;
  }
  return end === meta.bytes;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function badPart(seen: string): BuildError {
  return new BuildError('bad-part', {
    message: `not a sound row group part: ${seen}`,
    hint: 'The stored bytes are damaged or come from another version; they are made again once they are removed from the store.',
  });
}
