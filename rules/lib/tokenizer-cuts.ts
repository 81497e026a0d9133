import type { PreTokenizerDefinition, TokenizerDefinition } from './tokenizer-repairs.ts';

/** Long enough that a cut costs nothing, short enough that a segment's tokens take a few megabytes. */
const segmentUnits = 64 * 1024;

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const wordTail = '|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const lowerWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+';
const upperWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*';
const symbols = '| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*';

/**
 * Split patterns in which no match holds a letter followed by a space or newline, and nothing looks back. So between such a letter and
 * what follows there is always a boundary; matches before it end as they would in the whole text, matches after it begin the same.
 */
const cuttablePatterns: ReadonlySet<string> = new Set([
  // GPT-2
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // cl100k, Llama 3
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*${wordTail}`,
  // Qwen 2, 2.5, 3
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*${wordTail}`,
  // o200k, Llama 4
  `${lowerWord}${contractions}?|${upperWord}${contractions}?|\\p{N}{1,3}${symbols}${wordTail}`,
  // Mistral Nemo (tekken)
  `${lowerWord}|${upperWord}|\\p{N}${symbols}${wordTail}`,
]);

/** Whether encoding the segments of `segmentsOf` one after the other gives the ids of the whole text. */
export function isCuttable(definition: TokenizerDefinition): boolean {
  const normalizer = definition.normalizer?.type;
  return (
    definition.model['type'] === 'BPE' &&
    // Space and newline compose with nothing, so NFC of both sides is NFC of the whole.
    (normalizer === undefined || normalizer === 'NFC') &&
    splits(definition.pre_tokenizer) &&
    definition.added_tokens.every((token) => !token.lstrip && !token.rstrip && !token.single_word && !/\p{L}[ \n]/u.test(token.content))
  );
}

/** Some pre-tokenizer splits by a known pattern, and the others look at single characters only. */
function splits(preTokenizer: PreTokenizerDefinition | null): boolean {
  const all = preTokenizer?.type === 'Sequence' ? (preTokenizer.pretokenizers ?? []) : preTokenizer === null ? [] : [preTokenizer];
  return all.some(splitsByPattern) && all.every((one) => splitsByPattern(one) || isPlainByteLevel(one));
}

function splitsByPattern(preTokenizer: PreTokenizerDefinition): boolean {
  if (preTokenizer.type === 'ByteLevel') return isPlainByteLevel(preTokenizer) && preTokenizer.use_regex !== false;
  const pattern = preTokenizer.pattern?.Regex ?? '';
  return preTokenizer.type === 'Split' && preTokenizer.behavior === 'Isolated' && !preTokenizer.invert && cuttablePatterns.has(pattern);
}

// With a prefix space a segment that begins with a newline would get one as well.
const isPlainByteLevel = (preTokenizer: PreTokenizerDefinition): boolean =>
  preTokenizer.type === 'ByteLevel' && preTokenizer.add_prefix_space === false;

/** Runs of at least 64 Ki units that end between a letter and a space or newline; the last run may be of any length. */
export function* segmentsOf(text: string): Generator<string> {
  const cut = /\p{L}(?=[ \n])/gu;
  let start = 0;
  while (text.length - start > segmentUnits) {
    cut.lastIndex = start + segmentUnits;
    if (cut.exec(text) === null) break;
    yield text.slice(start, cut.lastIndex);
    start = cut.lastIndex;
  }
  yield text.slice(start);
}
