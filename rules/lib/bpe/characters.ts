import type { PreTokenizerDefinition, TokenizerDefinition } from '../tokenizer-repairs.ts';
import { charactersMax, isCharacter } from './junctions.ts';
import { represented } from './not-represented.ts';

/** What stands for a space in the vocabulary: U+2581. */
export const bar = '▁';

/** Words are merged from their characters; those that are no token become the tokens of their UTF-8 bytes (SentencePiece's byte fallback). */
export interface CharacterWords {
  kind: 'characters';
  /** Token of each byte, as far as UTF-8 can need it; -1 for the others. */
  idOfByte: Int32Array;
  /** Whether a word begins at each bar. */
  splitsAtBars: boolean;
  /** What the pre-tokenizer does with a stretch: spaces to bars, and one at the front. */
  prepare: (text: string, isFirst: boolean) => string;
  decoder: CharacterDecoder;
}

export interface CharacterDecoder {
  barsToSpaces: boolean;
  /** Whether a space at the front of the text is left out. */
  stripsFirstSpace: boolean;
}

/**
 * The definitions of Llama 2, Mistral 7B, Gemma and their like.
 *
 * @throws {NotRepresented}
 */
export function charactersOf(
  definition: TokenizerDefinition,
  vocabulary: ReadonlyMap<string, number>,
): { normalize: (text: string) => string; words: CharacterWords } {
  const { normalize, replaces, prepends } = normalizerOf(definition.normalizer as NormalizerDefinition | null);
  const { prepare, splitsAtBars } = preTokenizerOf(definition.pre_tokenizer as MetaspaceDefinition | null, { replaces, prepends });
  const ignoresMerges = definition.model['ignore_merges'] === true;
  represented(!(ignoresMerges && splitsAtBars), 'ignore_merges together with a Metaspace that splits');
  const characters = [...vocabulary.keys()].filter(isCharacter).length;
  represented(characters <= charactersMax, `more than ${charactersMax} tokens of one character`);
  represented(!mergesOf(definition).some(namesByte), 'merges of tokens that stand for bytes');
  const idOfByte = idsOfBytes(vocabulary);
  const decoder = decoderOf(definition.decoder as DecoderDefinition | null);
  return { normalize, words: { kind: 'characters', idOfByte, splitsAtBars, prepare, decoder } };
}

type Merge = string | readonly string[];

const mergesOf = ({ model }: TokenizerDefinition): readonly Merge[] => (Array.isArray(model['merges']) ? (model['merges'] as Merge[]) : []);
/** Whether one of its three tokens looks like that of a byte. */
const namesByte = (merge: Merge): boolean => (typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')).includes('<0x');

/** Bytes that no character beyond ASCII has: below 0x80, or never in UTF-8. */
const isAscii = (byte: number): boolean => byte < 0x80;
const isNeverInUtf8 = (byte: number): boolean => byte === 0xc0 || byte === 0xc1 || byte > 0xf4;

/** The reference takes the unknown token only where a byte of a character has no token: here that can not be. */
function idsOfBytes(vocabulary: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const id = vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    const isNeeded = !isNeverInUtf8(byte) && !(isAscii(byte) && vocabulary.has(String.fromCharCode(byte)));
    represented(id !== undefined || !isNeeded, 'bytes without a token');
    return id ?? -1;
  });
}

interface NormalizerDefinition {
  type: string;
  normalizers?: readonly NormalizerDefinition[];
  prepend?: string;
  pattern?: { String?: string };
  content?: string;
}

interface Normalizer {
  normalize: (text: string) => string;
  replaces: boolean;
  prepends: boolean;
}

const withBars = (text: string): string => text.replaceAll(' ', bar);

function normalizerOf(normalizer: NormalizerDefinition | null): Normalizer {
  const all = normalizer?.type === 'Sequence' ? (normalizer.normalizers ?? []) : normalizer ? [normalizer] : [];
  const other = all.find((one) => !isReplace(one) && !(one.type === 'Prepend' && one.prepend === bar));
  represented(other === undefined, `a normalizer of type ${other?.type}`);
  const prepends = all.filter(({ type }) => type === 'Prepend').length;
  represented(prepends <= 1, 'two Prepend normalizers');
  const replaces = all.some(isReplace);
  const prefix = prepends > 0 ? bar : '';
  return { normalize: (text) => prefix + (replaces ? withBars(text) : text), replaces, prepends: prepends > 0 };
}

const isReplace = ({ type, pattern, content }: NormalizerDefinition): boolean =>
  type === 'Replace' && pattern?.String === ' ' && content === bar;

interface MetaspaceDefinition extends PreTokenizerDefinition {
  prepend_scheme?: string;
  split?: boolean;
}

function preTokenizerOf(
  preTokenizer: MetaspaceDefinition | null,
  { replaces, prepends }: { replaces: boolean; prepends: boolean },
): Pick<CharacterWords, 'prepare' | 'splitsAtBars'> {
  const asItIs = { prepare: (text: string) => text, splitsAtBars: false };
  if (preTokenizer === null) return asItIs;
  const { type, pattern, invert } = preTokenizer;
  // What splits at spaces never finds one.
  if (type === 'Split' && pattern?.String === ' ' && !invert && replaces) return asItIs;
  represented(type === 'Metaspace', `a pre-tokenizer of type ${type}`);
  const { replacement, prepend_scheme: scheme = '', add_prefix_space: old, split } = preTokenizer;
  represented(
    replacement === bar && ['always', 'first', 'never'].includes(scheme) && old === undefined && split !== undefined && !prepends,
    'a Metaspace in a form unknown here',
  );
  const prepare = (text: string, isFirst: boolean): string => {
    const barred = withBars(text);
    return scheme === 'never' || (scheme === 'first' && !isFirst) || barred.startsWith(bar) ? barred : bar + barred;
  };
  return { prepare, splitsAtBars: split };
}

interface DecoderDefinition {
  type: string;
  decoders?: readonly DecoderDefinition[];
  pattern?: { String?: string };
  content?: string;
  start?: number;
  stop?: number;
}

function decoderOf(decoder: DecoderDefinition | null): CharacterDecoder {
  const all = [...(decoder?.type === 'Sequence' ? (decoder.decoders ?? []) : decoder ? [decoder] : [])];
  const [first] = all;
  const barsToSpaces = first?.type === 'Replace' && first.pattern?.String === bar && first.content === ' ';
  if (barsToSpaces) all.shift();
  const types = all.map(({ type }) => type).join(' ');
  represented(['ByteFallback', 'ByteFallback Fuse', 'ByteFallback Fuse Strip'].includes(types), 'a decoder unknown here');
  const strip = all[2];
  represented(!strip || (strip.content === ' ' && strip.start === 1 && strip.stop === 0), 'a Strip decoder unknown here');
  return { barsToSpaces, stripsFirstSpace: strip !== undefined };
}
