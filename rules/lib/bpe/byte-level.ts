import type { PreTokenizerDefinition, TokenizerDefinition } from '../tokenizer-repairs.ts';
import { charOfByte } from './byte-alphabet.ts';
import { nfc } from './nfc.ts';
import { represented } from './not-represented.ts';
import { scannerOf } from './patterns.ts';
import { type Scanner, scanGpt2 } from './scanners.ts';

/** Words are cut by a pattern and merged from their UTF-8 bytes, which are spelled in GPT-2's alphabet. */
export interface ByteWords {
  kind: 'bytes';
  scan: Scanner;
}

/** @throws {NotRepresented} */
export function byteLevelOf(
  definition: TokenizerDefinition,
  vocabulary: ReadonlyMap<string, number>,
): { normalize: (text: string) => string; words: ByteWords } {
  const scan = scannerOfAll(definition.pre_tokenizer);
  const normalize = normalizerOf(definition.normalizer);
  represented(isByteLevel(definition.decoder), 'a decoder other than ByteLevel');
  // Then every byte has a token, and the model's unknown token is never needed.
  represented(
    charOfByte.every((char) => vocabulary.has(char)),
    'bytes without a token',
  );
  return { normalize, words: { kind: 'bytes', scan } };
}

function scannerOfAll(preTokenizer: PreTokenizerDefinition | null): Scanner {
  const all = preTokenizer?.type === 'Sequence' ? (preTokenizer.pretokenizers ?? []) : preTokenizer ? [preTokenizer] : [];
  const [first, second] = all;
  if (all.length === 1 && isUnprefixed(first) && first.use_regex !== false) return scanGpt2;
  const types = all.map(({ type }) => type).join(', ') || 'none';
  represented(all.length === 2 && first?.type === 'Split' && isUnprefixed(second), `pre-tokenizers unknown here (${types})`);
  // Every match is kept, and matches lie side by side: to isolate matches and to drop what is between them are one.
  const keepsMatches = first.behavior === 'Isolated' || (first.behavior === 'Removed' && first.invert === true);
  const scan = keepsMatches && second.use_regex === false ? scannerOf(first.pattern?.Regex ?? '') : undefined;
  represented(scan !== undefined, 'a pre-tokenizer with a pattern unknown here');
  return scan;
}

const isUnprefixed = (one: PreTokenizerDefinition | undefined): one is PreTokenizerDefinition =>
  one?.type === 'ByteLevel' && one.add_prefix_space === false;

function normalizerOf(normalizer: TokenizerDefinition['normalizer']): (text: string) => string {
  const all = normalizer?.type === 'Sequence' ? (normalizer.normalizers ?? []) : normalizer ? [normalizer] : [];
  const other = all.find(({ type }) => type !== 'NFC');
  represented(other === undefined, `a normalizer of type ${other?.type}`);
  return all.length > 0 ? nfc : (text) => text;
}

function isByteLevel(decoder: object | null): boolean {
  const { type, decoders } = (decoder ?? {}) as { type?: string; decoders?: readonly { type: string }[] };
  return type === 'ByteLevel' || (type === 'Sequence' && decoders?.length === 1 && decoders[0]?.type === 'ByteLevel');
}
