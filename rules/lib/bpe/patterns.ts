import { casedScanner, cl100kScanner, type Scanner, scanGpt2 } from './scanners.ts';

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+';
const lowerWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+';
const upperWord = '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*';
const symbols = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';
const symbolsAndSlashes = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*';
const whites = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const scanners: ReadonlyMap<string, Scanner> = new Map([
  // GPT-2
  ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", scanGpt2],
  // cl100k, Llama 3
  [[contractions, word, '\\p{N}{1,3}', symbols, whites].join('|'), cl100kScanner(3)],
  // Qwen 2, 2.5, 3
  [[contractions, word, '\\p{N}', symbols, whites].join('|'), cl100kScanner(1)],
  // o200k, Llama 4
  [
    [`${lowerWord}${contractions}?`, `${upperWord}${contractions}?`, '\\p{N}{1,3}', symbolsAndSlashes, whites].join('|'),
    casedScanner({ digitsMax: 3, contractions: true }),
  ],
  // Mistral Nemo (tekken)
  [[lowerWord, upperWord, '\\p{N}', symbolsAndSlashes, whites].join('|'), casedScanner({ digitsMax: 1, contractions: false })],
]);

/** The scanner of a pattern that is known by its exact text: no other spelling is trusted to mean the same. */
export const scannerOf = (pattern: string): Scanner | undefined => scanners.get(pattern);
