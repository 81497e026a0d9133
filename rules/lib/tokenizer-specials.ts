import { BuildError } from '../../src/base/errors.ts';
import { didYouMean } from '../../src/base/names.ts';
import { parseObject, type Tokenizer } from './tokenizer-contract.ts';

export interface SpecialTokensInput {
  tokenizer: Tokenizer;
  /** tokenizer_config.json */
  config?: Uint8Array | undefined;
  /** Spellings of tokens that win over the configuration. */
  eos?: string | undefined;
  pad?: string | undefined;
  bos?: string | undefined;
}

/** Ids of the tokens that end, fill and begin a document. */
export interface SpecialTokens {
  eos: number;
  pad: number;
  bos: number | undefined;
}

type Role = 'eos' | 'pad' | 'bos';

/** What the common tokenizers end a document with, the likeliest first. */
const eosSpellings: readonly string[] = [
  '<|endoftext|>',
  '</s>',
  '<|end_of_text|>',
  '<eos>',
  '<|im_end|>',
  '<｜end▁of▁sentence｜>',
  '[SEP]',
];

/**
 * EOS, PAD and BOS from the options, else from tokenizer_config.json; PAD falls back to EOS. A BOS that the configuration names but the
 * vocabulary lacks counts as none: few ask for it.
 *
 * @throws {BuildError} `no-eos` when nothing names an EOS; `unknown-token` when a named token is not in the vocabulary.
 */
export function specialTokensOf(input: SpecialTokensInput): SpecialTokens {
  const configured = input.config === undefined ? {} : parseObject(input.config, 'tokenizer_config.json');
  const eos = tokenFor('eos', input, configured);
  if (eos === undefined) throw noEos(input);
  const bos = input.bos === undefined ? contentOf(configured['bos_token']) : undefined;
  return {
    eos,
    pad: tokenFor('pad', input, configured) ?? eos,
    bos: bos === undefined ? tokenFor('bos', input, {}) : input.tokenizer.idOf(bos),
  };
}

function tokenFor(role: Role, input: SpecialTokensInput, configured: Record<string, unknown>): number | undefined {
  const option = input[role];
  const name = option ?? contentOf(configured[`${role}_token`]);
  if (name === undefined) return undefined;
  const id = input.tokenizer.idOf(name);
  if (id !== undefined) return id;
  const from =
    option === undefined ? `tokenizer_config.json names "${name}" as its ${role}_token, which` : `option \`${role}\` is "${name}", which`;
  throw new BuildError('unknown-token', {
    message: `${from} is not in the tokenizer's vocabulary.${didYouMean(name, likelyTokens(input.tokenizer))}`,
    hint: `Set option \`${role}\` to one of its tokens${examples(input.tokenizer)}.`,
  });
}

/** A token is written as a string or as an object with `content`; null and everything else mean that there is none. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}

function noEos(input: SpecialTokensInput): BuildError {
  const seen =
    input.config === undefined ? 'there is no tokenizer_config.json beside tokenizer.json' : 'tokenizer_config.json has no eos_token';
  return new BuildError('no-eos', {
    message: `no token that ends a document is known: ${seen}`,
    hint: `Set option \`eos\` to the token that ends a document${examples(input.tokenizer)}.`,
  });
}

/** The usual spellings that this vocabulary has come first; reserved and control tokens of chat formats follow in the file's order. */
function likelyTokens(tokenizer: Tokenizer): string[] {
  const usual = eosSpellings.filter((spelling) => tokenizer.idOf(spelling) !== undefined);
  return [...new Set([...usual, ...tokenizer.specialTokens])];
}

function examples(tokenizer: Tokenizer): string {
  const shown = likelyTokens(tokenizer).slice(0, 3);
  return shown.length === 0 ? '' : `, for example ${shown.map((token) => JSON.stringify(token)).join(', ')}`;
}
