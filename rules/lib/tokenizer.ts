import { BuildError, messageOf } from '../../src/base/errors.ts';
import type { TokenDecoder } from '../../src/rule/options.ts';
import { bpeTokenizer, whyNotBpe } from './bpe/bpe-tokenizer.ts';
import { bpeEngine, huggingfaceEngine, parseObject, type Tokenizer, type TokenizerFiles } from './tokenizer-contract.ts';
import { huggingfaceTokenizer } from './tokenizer-huggingface.ts';
import { nativeTokenizer } from './tokenizer-native.ts';
import { differencesOf } from './tokenizer-repairs.ts';

export type { Tokenizer, TokenizerFiles } from './tokenizer-contract.ts';
export { specialTokensOf } from './tokenizer-specials.ts';

/**
 * A tokenizer from the bytes of its tokenizer.json, run by the engine that was chosen. Takes 0.1 s (GPT-2) to 1.5 s (Gemma 3): see `tokenizerFor`.
 *
 * @throws {BuildError} `bad-tokenizer` when the bytes are no tokenizer.json or need something that no engine here has; `no-engine` when the
 * chosen one is not here.
 */
export function loadTokenizer(files: TokenizerFiles): Tokenizer {
  const definition = parseObject(files.model, 'tokenizer.json');
  const loaded = usable(() => {
    assertIds(definition);
    const tokenizer = engineFor(files, definition);
    for (const id of [...(tokenizer?.around.before ?? []), ...(tokenizer?.around.after ?? [])]) assertId('of the post-processor', id);
    return tokenizer;
  });
  if (loaded && (files.engine === undefined || loaded.engine === files.engine)) return loaded;
  throw new BuildError('no-engine', {
    message: `the tokenizer is to be run by ${files.engine}, which is not here`,
    hint: 'Every machine that takes part in a build needs the same dsbuild and the same optional packages.',
  });
}

/** Engines take any number as an id; rows hold 32 bits of it. */
function assertIds({ added_tokens: added, model }: Record<string, unknown>): void {
  const vocabulary = (model as { vocab?: unknown } | null | undefined)?.vocab;
  const own = typeof vocabulary === 'object' && vocabulary !== null && !Array.isArray(vocabulary) ? Object.entries(vocabulary) : [];
  const tokens = Array.isArray(added) ? (added as ({ id?: unknown; content?: unknown } | null)[]) : [];
  for (const [token, id] of [...own, ...tokens.map((one) => [one?.content, one?.id] as const)]) assertId(JSON.stringify(token), id);
}

function assertId(token: string, id: unknown): void {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= 0x7fffffff) return;
  throw new Error(`the token ${token} has no id, but ${JSON.stringify(id)}`);
}

function engineFor(files: TokenizerFiles, definition: Record<string, unknown>): Tokenizer | undefined {
  const { engine, packageFolder } = files;
  if (engine === undefined) return bpeTokenizer(definition) ?? huggingfaceTokenizer(definition);
  if (engine === bpeEngine) return bpeTokenizer(definition);
  if (engine === huggingfaceEngine) return huggingfaceTokenizer(definition);
  return packageFolder === undefined ? undefined : nativeTokenizer(files.model, definition, packageFolder);
}

/** Why dsbuild's own engine leaves a tokenizer.json to another, as the end of "it has ..."; undefined if it represents it exactly. */
export function whyNotOwn(model: Uint8Array): string | undefined {
  const definition = parseObject(model, 'tokenizer.json');
  return usable(() => whyNotBpe(definition));
}

/** Where the general engine's ids of a tokenizer.json may differ from the reference, as sentences. */
export function generalDifferences(model: Uint8Array): readonly string[] {
  const definition = parseObject(model, 'tokenizer.json');
  return usable(() => differencesOf(definition));
}

/** Every engine decodes alike, so none has to be chosen. @throws {BuildError} as `loadTokenizer`. */
export function tokenDecoder(model: Uint8Array): TokenDecoder {
  const tokenizer = loadTokenizer({ model });
  return { vocabularySize: tokenizer.vocabularySize, decode: (ids) => tokenizer.decode(ids, { skipSpecialTokens: false }) };
}

function usable<T>(make: () => T): T {
  try {
    return make();
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
