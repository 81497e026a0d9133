import { bytesOfToken } from './byte-alphabet.ts';
import type { ByteWords } from './byte-level.ts';
import { bar, type CharacterDecoder, type CharacterWords } from './characters.ts';

/** Text of tokens, by the decoder that belongs to a kind of words. */
export function decoderOf(words: ByteWords | CharacterWords): (tokens: readonly string[]) => string {
  if (words.kind === 'characters') return (tokens) => textOfCharacters(tokens, words.decoder);
  return (tokens) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(tokens.map(bytesOfToken)));
}

const byteToken = /^<0x([0-9A-Fa-f]{2})>$/;

/** Runs of tokens that stand for bytes are read as UTF-8; in a run that is none, each byte gives U+FFFD, as in the reference. */
function textOfCharacters(tokens: readonly string[], { barsToSpaces, stripsFirstSpace }: CharacterDecoder): string {
  let text = '';
  let bytes: number[] = [];
  const addBytes = (): void => {
    if (bytes.length > 0) text += utf8(bytes) ?? '\ufffd'.repeat(bytes.length);
    bytes = [];
  };
  for (const token of tokens) {
    const byte = byteToken.exec(token)?.[1];
    if (byte !== undefined) {
      bytes.push(Number.parseInt(byte, 16));
      continue;
    }
    addBytes();
    text += barsToSpaces ? token.replaceAll(bar, ' ') : token;
  }
  addBytes();
  return stripsFirstSpace && text.startsWith(' ') ? text.slice(1) : text;
}

function utf8(bytes: readonly number[]): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
