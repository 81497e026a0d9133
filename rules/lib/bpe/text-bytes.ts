/**
 * Writes UTF-8 of UTF-16.
 *
 * @param units well-formed; `bytes` has room for three for each of them.
 * @returns how many bytes.
 */
export function writeUtf8(units: Uint16Array, bytes: Uint8Array): number {
  let size = 0;
  for (let at = 0; at < units.length; at++) {
    let code = units[at] as number;
    if (code < 0x80) {
      bytes[size++] = code;
      continue;
    }
    if (code < 0x800) {
      bytes[size++] = 0xc0 | (code >> 6);
    } else {
      if ((code & 0xf800) === 0xd800) {
        code = 0x1_0000 + ((code & 0x3ff) << 10) + ((units[++at] as number) & 0x3ff);
        bytes[size++] = 0xf0 | (code >> 18);
        bytes[size++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        bytes[size++] = 0xe0 | (code >> 12);
      }
      bytes[size++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[size++] = 0x80 | (code & 0x3f);
  }
  return size;
}
