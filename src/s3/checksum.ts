import { crc32 } from 'node:zlib';

/** What the server holds a body against when it has arrived, as base64 (of four bytes, the highest first). */
export function checksumOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}
