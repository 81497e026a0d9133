import type { PreTokenizerDefinition, TokenizerDefinition } from '../tokenizer-repairs.ts';
import type { AddedToken } from './added-tokens.ts';
import { charOfByte } from './byte-alphabet.ts';
import { scannerOf } from './patterns.ts';
import { type Scanner, scanGpt2 } from './scanners.ts';
import { type Surroundings, surroundingsOf } from './template.ts';

/** A tokenizer.json that this engine represents exactly. */
export interface BpeDefinition {
  /** Ids by token, added ones included. */
  ids: ReadonlyMap<string, number>;
  /** Left, right and merged id of each merge, the best first. */
  pairs: Int32Array;
  /** Whether a word that is a token as a whole is that token, whatever the merges. */
  ignoreMerges: boolean;
  scan: Scanner;
  normalizes: boolean;
  /** Found in texts as they are, and in normalized texts. */
  added: { raw: AddedToken[]; normalized: AddedToken[] };
  /** In the file's order. */
  specialTokens: AddedToken[];
  around: Surroundings;
}

/** What of a definition this engine needs, or undefined if any part of it might mean something that is not represented here. */
export function bpeDefinitionOf(definition: TokenizerDefinition): BpeDefinition | undefined {
  const scan = scannerOfAll(definition.pre_tokenizer);
  const normalizes = normalizesOf(definition.normalizer);
  const around = surroundingsOf(definition.post_processor);
  if (!scan || normalizes === undefined || !around || !isByteLevel(definition.decoder) || !isPlainBpe(definition.model)) return undefined;
  const vocabulary = vocabularyOf(definition.model['vocab']);
  const pairs = vocabulary && pairsOf(definition.model['merges'], vocabulary);
  const added = vocabulary && addedTokensOf(definition, vocabulary);
  if (!pairs || !added) return undefined;
  for (const { content, id } of added.all) vocabulary.set(content, id);
  return {
    ids: vocabulary,
    pairs,
    ignoreMerges: definition.model['ignore_merges'] === true,
    scan,
    normalizes,
    added,
    specialTokens: added.special,
    around,
  };
}

function isPlainBpe(model: Record<string, unknown>): boolean {
  const off = ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix', 'byte_fallback'];
  return model['type'] === 'BPE' && off.every((name) => !model[name]);
}

function scannerOfAll(preTokenizer: PreTokenizerDefinition | null): Scanner | undefined {
  const all = preTokenizer?.type === 'Sequence' ? (preTokenizer.pretokenizers ?? []) : preTokenizer ? [preTokenizer] : [];
  const [first, second] = all;
  if (all.length === 1 && isUnprefixed(first) && first.use_regex !== false) return scanGpt2;
  if (all.length !== 2 || first?.type !== 'Split' || !isUnprefixed(second) || second.use_regex !== false) return undefined;
  // Every match is kept, and matches lie side by side: to isolate matches and to drop what is between them are one.
  const keepsMatches = first.behavior === 'Isolated' || (first.behavior === 'Removed' && first.invert === true);
  return keepsMatches ? scannerOf(first.pattern?.Regex ?? '') : undefined;
}

const isUnprefixed = (one: PreTokenizerDefinition | undefined): one is PreTokenizerDefinition =>
  one?.type === 'ByteLevel' && one.add_prefix_space === false;

function normalizesOf(normalizer: TokenizerDefinition['normalizer']): boolean | undefined {
  const all = normalizer?.type === 'Sequence' ? (normalizer.normalizers ?? []) : normalizer ? [normalizer] : [];
  return all.every(({ type }) => type === 'NFC') ? all.length > 0 : undefined;
}

function isByteLevel(decoder: object | null): boolean {
  const { type, decoders } = (decoder ?? {}) as { type?: string; decoders?: readonly { type: string }[] };
  return type === 'ByteLevel' || (type === 'Sequence' && decoders?.length === 1 && decoders[0]?.type === 'ByteLevel');
}

function vocabularyOf(value: unknown): Map<string, number> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(value)) {
    if (!Number.isInteger(id) || id < 0) return undefined;
    vocabulary.set(token, id as number);
  }
  // Then every byte has a token, and the model's unknown token is never needed.
  const isWhole = charOfByte.every((char) => vocabulary.has(char)) && new Set(vocabulary.values()).size === vocabulary.size;
  return isWhole ? vocabulary : undefined;
}

function pairsOf(merges: unknown, vocabulary: ReadonlyMap<string, number>): Int32Array | undefined {
  if (!Array.isArray(merges)) return undefined;
  const pairs = new Int32Array(merges.length * 3);
  let at = 0;
  for (const merge of merges as unknown[]) {
    const [left, right, ...more] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? (merge as unknown[]) : [];
    if (typeof left !== 'string' || typeof right !== 'string' || more.length > 0) return undefined;
    const [leftId, rightId, merged] = [vocabulary.get(left), vocabulary.get(right), vocabulary.get(left + right)];
    if (leftId === undefined || rightId === undefined || merged === undefined) return undefined;
    pairs[at++] = leftId;
    pairs[at++] = rightId;
    pairs[at++] = merged;
  }
  return pairs;
}

interface AddedTokens {
  all: AddedToken[];
  raw: AddedToken[];
  normalized: AddedToken[];
  special: AddedToken[];
}

/** The reference numbers added tokens itself: tokens of the vocabulary keep their id, others follow the largest so far. */
function addedTokensOf({ added_tokens: all }: TokenizerDefinition, vocabulary: ReadonlyMap<string, number>): AddedTokens | undefined {
  const tokens: AddedTokens = { all: [], raw: [], normalized: [], special: [] };
  const seen = new Set<string>();
  let largest = vocabulary.size - 1;
  for (const { id, content, special, normalized, ...where } of all as readonly (TokenizerDefinition['added_tokens'][number] & {
    normalized?: boolean;
  })[]) {
    const isNew = !vocabulary.has(content);
    if (where.lstrip || where.rstrip || where.single_word || content === '' || seen.has(content)) return undefined;
    if (id !== (vocabulary.get(content) ?? largest + 1) || (normalized && !/^[\0-\x7f]*$/.test(content))) return undefined;
    if (isNew || id > largest) largest = Math.max(largest, id);
    seen.add(content);
    const token = { id, content };
    tokens.all.push(token);
    (normalized ? tokens.normalized : tokens.raw).push(token);
    if (special) tokens.special.push(token);
  }
  return tokens;
}
