/**
 * GPT-2's spelling of bytes as visible characters, in which vocabularies of byte-level tokenizers are written: printable Latin-1 stands
 * for itself, the other 68 bytes are U+0100 and following in their order.
 */
export const charOfByte: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

const byteOfChar: ReadonlyMap<string, number> = new Map(charOfByte.map((char, byte) => [char, byte]));

/** Bytes of a token; one that is not written in the alphabet (an added token with a space, say) stands for its own UTF-8. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let at = 0; at < token.length; at++) {
    const byte = byteOfChar.get(token[at] as string);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes[at] = byte;
  }
  return bytes;
}
