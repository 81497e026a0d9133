import { bpeEngine, type DecodeOptions, type EncodeOptions, type Tokenizer } from '../tokenizer-contract.ts';
import { completed } from '../tokenizer-repairs.ts';
import { AddedTokenFinder } from './added-tokens.ts';
import { ByteEncoder } from './byte-encoder.ts';
import { CharacterEncoder } from './character-encoder.ts';
import { decoderOf } from './decoders.ts';
import { type BpeDefinition, bpeDefinitionOf, bpeFrameOf } from './definition.ts';
import type { Encoder } from './encoder.ts';

/** Why this engine leaves a tokenizer.json to another, as the end of "it has ..."; undefined if it represents it exactly. */
export function whyNotBpe(source: Record<string, unknown>): string | undefined {
  const frame = bpeFrameOf(completed(source));
  return 'whyNot' in frame ? frame.whyNot : undefined;
}

/**
 * dsbuild's own engine for BPE, byte-level (GPT-2, Llama 3, Qwen, Mistral Nemo, o200k ...) and of characters with byte fallback (Llama 2, Mistral 7B,
 * Gemma ...), or undefined if a tokenizer.json asks for anything that it does not represent exactly. Ids equal those of PyPI `tokenizers`.
 */
export function bpeTokenizer(source: Record<string, unknown>): Tokenizer | undefined {
  const definition = bpeDefinitionOf(completed(source));
  if ('whyNot' in definition) return undefined;
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of definition.ids) tokens[id] = token;
  const encode = encoderOf(definition, tokens);
  const decode = decoderOf(definition.words);
  return {
    engine: bpeEngine,
    vocabularySize: tokens.length,
    around: definition.around,
    specialTokens: definition.specialTokens.map(({ content }) => content),
    differences: [],
    idOf: (token: string) => definition.ids.get(token),
    encode,
    decode: (ids: ArrayLike<number>, { skipSpecialTokens }: DecodeOptions) =>
      decode(
        Array.from(ids)
          .filter((id) => tokens[id] !== undefined && !(skipSpecialTokens && definition.added.skippable.has(id)))
          .map((id) => definition.added.decoded.get(id) ?? (tokens[id] as string)),
      ),
  };
}

/** Added tokens are cut out of the text, then out of what the normalizer makes of the rest; words are made of what is left. */
function encoderOf(definition: BpeDefinition, tokens: readonly (string | undefined)[]): Tokenizer['encode'] {
  const { added, around, normalize, words } = definition;
  const encoder =
    words.kind === 'bytes' ? new ByteEncoder({ ...definition, words }, tokens) : new CharacterEncoder({ ...definition, words }, tokens);
  const { list } = encoder;
  const raw = new AddedTokenFinder(added.raw);
  const normalized = new AddedTokenFinder(added.normalized);
  const addNormalized = (text: string, isFirst: boolean): void =>
    between(normalize(text), { finder: normalized, encoder, add: (words, at) => encoder.add(words, isFirst && at === 0) });
  return (text: string, { addSpecialTokens }: EncodeOptions) => {
    list.count = 0;
    if (addSpecialTokens) for (const id of around.before) list.push(id);
    between(wellFormed(text), { finder: raw, encoder, add: (stretch, at) => addNormalized(stretch, at === 0) });
    if (addSpecialTokens) for (const id of around.after) list.push(id);
    return list.take();
  };
}

interface Between {
  finder: AddedTokenFinder;
  encoder: Encoder;
  /** Takes the stretches between added tokens, with their places. */
  add(text: string, at: number): void;
}

function between(text: string, { finder, encoder, add }: Between): void {
  let start = 0;
  for (const { at, id, content } of finder.find(text)) {
    if (at > start) add(text.slice(start, at), start);
    encoder.list.push(id);
    start = at + content.length;
  }
  if (start < text.length) add(start === 0 ? text : text.slice(start), start);
}

// Node 20 has it; the library that TypeScript is told of (es2023) does not.
const wellFormed = (text: string): string => (text as string & { toWellFormed(): string }).toWellFormed();
