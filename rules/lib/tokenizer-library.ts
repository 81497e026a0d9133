import * as library from '@huggingface/tokenizers';
import type { TokenizerDefinition } from './tokenizer-repairs.ts';

/**
 * The face of @huggingface/tokenizers as far as it is used here, written down because its own declarations import without file
 * extensions, which TypeScript's nodenext resolution does not follow.
 */
interface Library {
  Tokenizer: new (definition: TokenizerDefinition, config: { unk_token?: string }) => Engine;
  BPE: new (definition: object) => BpeModel;
  ByteLevelPreTokenizer: new (definition: object) => { pattern: RegExp };
  ByteFallbackDecoder: new (definition: object) => { text_decoder: InstanceType<typeof TextDecoder> };
  SequenceDecoder: new (definition: object) => { decoders: readonly unknown[] };
  SequencePreTokenizer: new (definition: object) => { tokenizers: readonly unknown[] };
}

export interface Engine {
  model: { vocab: readonly (string | undefined)[] };
  pre_tokenizer: unknown;
  decoder: unknown;
  post_processor: ((tokens: readonly string[], pair: null, addSpecialTokens: boolean) => { tokens: string[] }) | null;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: readonly number[], options: { clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

interface BpeModel {
  vocab: readonly (string | undefined)[];
  continuing_subword_suffix: string | null | undefined;
  end_of_word_suffix: string | null | undefined;
  /** The tokens of one word of the pre-tokenizer. */
  bpe(word: string): string[];
}

export const {
  Tokenizer: HuggingfaceTokenizer,
  BPE,
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  SequenceDecoder,
  SequencePreTokenizer,
} = library as unknown as Library;
