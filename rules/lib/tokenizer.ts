import { BuildError, messageOf } from '../../src/base/errors.ts';
import { bpeTokenizer } from './bpe/bpe-tokenizer.ts';
import { parseObject, type Tokenizer, type TokenizerFiles } from './tokenizer-contract.ts';
import { huggingfaceTokenizer } from './tokenizer-huggingface.ts';

export type { Tokenizer, TokenizerFiles } from './tokenizer-contract.ts';
export { specialTokensOf } from './tokenizer-specials.ts';

/**
 * A tokenizer from the bytes of its tokenizer.json: dsbuild's own engine if it represents the file exactly, else the general one. Takes 0.1 s (GPT-2) to 1.5 s (Gemma 3): see `tokenizerFor`.
 *
 * @throws {BuildError} `bad-tokenizer` when the bytes are no tokenizer.json or need something that no engine here has.
 */
export function loadTokenizer(files: TokenizerFiles): Tokenizer {
  const definition = parseObject(files.model, 'tokenizer.json');
  try {
    return bpeTokenizer(definition) ?? huggingfaceTokenizer(definition);
  } catch (cause) {
    throw new BuildError('bad-tokenizer', {
      message: `tokenizer.json can not be used: ${messageOf(cause)}`,
      hint: 'It must be a "fast" tokenizer as written by save_pretrained or tokenizers; model.type is BPE, Unigram, WordPiece or WordLevel.',
      cause,
    });
  }
}

/** Gemma 3 takes about 300 MB: enough for a tokenizer and its successor, or for two targets that take turns. */
const loadedTokenizersMax = 3;
const loaded = new Map<string, Promise<Tokenizer>>();

/**
 * The tokenizer of a digest, loaded at most once per process while it is among the last three used.
 *
 * @param digest of tokenizer.json; the caller vouches that `load` gives the tokenizer of these bytes. A load that fails is not kept.
 */
export function tokenizerFor(digest: string, load: () => Tokenizer | Promise<Tokenizer>): Promise<Tokenizer> {
  const tokenizer = loaded.get(digest) ?? started(digest, load);
  loaded.delete(digest);
  loaded.set(digest, tokenizer);
  for (const oldest of loaded.keys()) {
    if (loaded.size <= loadedTokenizersMax) break;
    loaded.delete(oldest);
  }
  return tokenizer;
}

function started(digest: string, load: () => Tokenizer | Promise<Tokenizer>): Promise<Tokenizer> {
  const tokenizer = Promise.resolve().then(load);
  tokenizer.catch(() => {
    if (loaded.get(digest) === tokenizer) loaded.delete(digest);
  });
  return tokenizer;
}
