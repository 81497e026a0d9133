import type { TokenizerDefinition } from '../tokenizer-repairs.ts';
import type { AddedToken } from './added-tokens.ts';
import { represented } from './not-represented.ts';

/** Ten times the largest known. */
const idsMax = 1 << 22;

/** Ids by token. No two tokens have one id. */
export function vocabularyOf(value: unknown): Map<string, number> {
  represented(typeof value === 'object' && value !== null && !Array.isArray(value), 'no vocabulary of tokens with ids');
  const vocabulary = new Map<string, number>();
  const taken = new Uint8Array(idsMax);
  for (const token in value) {
    const id = (value as Readonly<Record<string, unknown>>)[token];
    represented(Number.isInteger(id) && (id as number) >= 0 && (id as number) < idsMax, `the id ${id}`);
    represented(taken[id as number] === 0, 'an id with two tokens');
    taken[id as number] = 1;
    vocabulary.set(token, id as number);
  }
  return vocabulary;
}

/** Left, right and merged id of each merge, the best first. @throws for what is no merge of tokens of the vocabulary. */
export function pairsOf(merges: unknown, idOf: (token: string) => number | undefined): Int32Array {
  if (!Array.isArray(merges)) throw new Error('it has no list of merges');
  const pairs = new Int32Array(merges.length * 3);
  let at = 0;
  for (const merge of merges as unknown[]) {
    const [left, right, ...more] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? (merge as unknown[]) : [];
    if (typeof left !== 'string' || typeof right !== 'string' || more.length > 0) throw badMerge(merge, 'is no pair');
    const [leftId, rightId, merged] = [idOf(left), idOf(right), idOf(left + right)];
    if (leftId === undefined || rightId === undefined || merged === undefined) throw badMerge(merge, 'is not in the vocabulary');
    pairs[at++] = leftId;
    pairs[at++] = rightId;
    pairs[at++] = merged;
  }
  return pairs;
}

const badMerge = (merge: unknown, why: string): Error => new Error(`its merge ${JSON.stringify(merge)} ${why}`);

/** Added tokens as they are looked for: `raw` in texts as they are, `normalized` in what the normalizer made of the rest. */
export interface AddedTokens {
  all: AddedToken[];
  raw: AddedToken[];
  normalized: AddedToken[];
  special: AddedToken[];
  /** What decoding takes an added token for: the reference gives back the form that it looks for. */
  decoded: Map<number, string>;
  /** Ids that decoding may skip; one whose two forms differ is not known as special there. */
  skippable: Set<number>;
}

/**
 * The reference numbers added tokens itself: tokens of the vocabulary keep their id, others follow the largest so far.
 *
 * @param normalize what the normalizer makes of an ASCII text: those of `normalized` are looked for in that form.
 */
export function addedTokensOf(
  { added_tokens: all }: TokenizerDefinition,
  vocabulary: ReadonlyMap<string, number>,
  normalize: (text: string) => string,
): AddedTokens {
  const tokens: AddedTokens = { all: [], raw: [], normalized: [], special: [], decoded: new Map(), skippable: new Set() };
  const seen = new Set<string>();
  let largest = vocabulary.size - 1;
  for (const { id, content, special, normalized, ...where } of all as readonly (TokenizerDefinition['added_tokens'][number] & {
    normalized?: boolean;
  })[]) {
    represented(!where.lstrip && !where.rstrip, 'an added token that takes white space with it (lstrip, rstrip)');
    represented(!where.single_word, 'an added token that stands between words only (single_word)');
    represented(content !== '' && !seen.has(content), 'an added token that is empty or there twice');
    represented(id === (vocabulary.get(content) ?? largest + 1), 'an added token with an id that the reference would not give it');
    represented(!normalized || /^[\0-\x7f]*$/.test(content), 'an added token that is normalized, with characters beyond ASCII');
    largest = Math.max(largest, id);
    seen.add(content);
    tokens.all.push({ id, content });
    const sought = normalized ? normalize(content) : content;
    (normalized ? tokens.normalized : tokens.raw).push({ id, content: sought });
    tokens.decoded.set(id, sought);
    if (special) tokens.special.push({ id, content });
    if (special && sought === content) tokens.skippable.add(id);
  }
  return tokens;
}
