/** The parts of a tokenizer.json that are looked at here; everything else is handed on as it is. */
export interface TokenizerDefinition {
  added_tokens: readonly AddedTokenDefinition[];
  normalizer: { type: string; normalizers?: readonly { type: string }[] } | null;
  pre_tokenizer: PreTokenizerDefinition | null;
  post_processor: object | null;
  decoder: object | null;
  model: Record<string, unknown>;
}

export interface AddedTokenDefinition {
  id: number;
  content: string;
  special?: boolean;
  lstrip?: boolean;
  rstrip?: boolean;
  single_word?: boolean;
}

export interface PreTokenizerDefinition {
  type: string;
  pretokenizers?: readonly PreTokenizerDefinition[];
  pattern?: { Regex?: string; String?: string };
  behavior?: string;
  invert?: boolean;
  add_prefix_space?: boolean;
  use_regex?: boolean;
  individual_digits?: boolean;
  split?: boolean;
  replacement?: string;
}

/** A definition with all its parts. @throws if there is no model. */
export function completed(source: Record<string, unknown>): TokenizerDefinition {
  const model = source['model'];
  if (typeof model !== 'object' || model === null) throw new Error('it has no "model"');
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, ...source } as Record<string, unknown>;
  return {
    ...(parts as unknown as TokenizerDefinition),
    added_tokens: (source['added_tokens'] ?? []) as AddedTokenDefinition[],
    model: model as Record<string, unknown>,
  };
}

/** The same, in which pre-tokenizers that @huggingface/tokenizers approximates are written as ones that it does exactly. */
export function repaired(source: Record<string, unknown>): TokenizerDefinition {
  const definition = completed(source);
  return { ...definition, pre_tokenizer: mended(definition.pre_tokenizer) };
}

function mended<T extends PreTokenizerDefinition | null>(preTokenizer: T): T | PreTokenizerDefinition {
  switch (preTokenizer?.type) {
    case 'Sequence':
      return { ...preTokenizer, pretokenizers: (preTokenizer.pretokenizers ?? []).map((inner) => mended(inner)) };
    // The engine's own has JavaScript's \w, which knows ASCII letters only; that of Rust's regex crate has the two joiners as well.
    case 'Whitespace':
      return { type: 'Split', pattern: { Regex: '[\\w\\u200c\\u200d]+|[^\\w\\s\\u200c\\u200d]+' }, behavior: 'Removed', invert: true };
    case 'WhitespaceSplit':
      return { type: 'Split', pattern: { Regex: '\\S+' }, behavior: 'Removed', invert: true };
    // Rust's is_numeric is the whole category N; JavaScript's \d is 0 to 9.
    case 'Digits':
      return {
        type: 'Split',
        pattern: { Regex: preTokenizer.individual_digits ? '\\p{N}' : '\\p{N}+' },
        behavior: 'Isolated',
        invert: false,
      };
    case 'Punctuation':
      return mendedPunctuation(preTokenizer);
    // The engine's own puts the spaces in but never splits at them.
    case 'Metaspace':
      return preTokenizer.split === false || (preTokenizer.replacement ?? '▁') !== '▁'
        ? preTokenizer
        : { type: 'Sequence', pretokenizers: [preTokenizer, splitBeforeBars] };
    default:
      return preTokenizer;
  }
}

const splitBeforeBars: PreTokenizerDefinition = { type: 'Split', pattern: { Regex: '▁?[^▁]+|▁' }, behavior: 'Removed', invert: true };

/** The engine's own takes a run of punctuation as one, which is what `Contiguous` means. */
function mendedPunctuation(preTokenizer: PreTokenizerDefinition): PreTokenizerDefinition {
  const { behavior = 'Isolated' } = preTokenizer;
  if (behavior !== 'Isolated' && behavior !== 'Removed') return preTokenizer;
  return { type: 'Split', pattern: { Regex: '[\\p{P}!-/:-@\\[-`{-~]' }, behavior, invert: false };
}

/** Where ids may differ from PyPI `tokenizers`: known from reading the engine, not exhaustive for exotic definitions. */
export function differencesOf(source: Record<string, unknown>): string[] {
  const definition = repaired(source);
  const preTokenizers = flat(definition.pre_tokenizer);
  const normalizers = [definition.normalizer, ...(definition.normalizer?.normalizers ?? [])].map((normalizer) => normalizer?.type);
  const found = new Set<string>();
  if (definition.added_tokens.some((token) => token.single_word)) found.add('added tokens with single_word also match inside words');
  if (normalizers.includes('Precompiled')) found.add('the Precompiled normalizer is approximated by NFKC');
  if (normalizers.includes('BertNormalizer'))
    found.add('BertNormalizer misses rare control characters and ideographs outside the first plane');
  for (const { type, behavior } of preTokenizers) {
    if (behavior !== undefined && !['Isolated', 'Removed'].includes(behavior)) found.add(`${type} treats behavior ${behavior} as Isolated`);
    if (type === 'BertPreTokenizer') found.add('BertPreTokenizer uses the white space of JavaScript');
  }
  if (definition.model['type'] === 'Unigram')
    found.add('Unigram gives other ids than the reference in some documents (3 of 228 that were tried)');
  return [...found];
}

function flat(preTokenizer: PreTokenizerDefinition | null): PreTokenizerDefinition[] {
  return preTokenizer === null ? [] : [preTokenizer, ...(preTokenizer.pretokenizers ?? []).flatMap((inner) => flat(inner))];
}
