import { bpeEngine, type DecodeOptions, type EncodeOptions, type Tokenizer } from '../tokenizer-contract.ts';
import { repaired } from '../tokenizer-repairs.ts';
import { AddedTokenFinder } from './added-tokens.ts';
import { bytesOfToken } from './byte-alphabet.ts';
import { type BpeDefinition, bpeDefinitionOf } from './definition.ts';
import { Encoder } from './encoder.ts';
import { nfc } from './nfc.ts';

/**
 * dsbuild's own engine for byte-level BPE (GPT-2, Llama 3, Qwen, Mistral Nemo, o200k ...), or undefined if a tokenizer.json asks for anything that it does not
 * represent exactly. Ids equal those of PyPI `tokenizers`.
 */
export function bpeTokenizer(source: Record<string, unknown>): Tokenizer | undefined {
  const definition = bpeDefinitionOf(repaired(source));
  if (!definition) return undefined;
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of definition.ids) tokens[id] = token;
  const encode = encoderOf(definition, tokens);
  const special = new Set(definition.specialTokens.map(({ id }) => id));
  return {
    engine: bpeEngine,
    vocabularySize: tokens.length,
    around: definition.around,
    specialTokens: definition.specialTokens.map(({ content }) => content),
    differences: [],
    idOf: (token: string) => definition.ids.get(token),
    encode,
    decode: (ids: ArrayLike<number>, { skipSpecialTokens }: DecodeOptions) => {
      const known = Array.from(ids).filter((id) => tokens[id] !== undefined && !(skipSpecialTokens && special.has(id)));
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(known.map((id) => bytesOfToken(tokens[id] as string))));
    },
  };
}

/** Added tokens are cut out of the text, then out of what the normalizer makes of the rest; words are made of what is left. */
function encoderOf(definition: BpeDefinition, tokens: readonly (string | undefined)[]): Tokenizer['encode'] {
  const { added, around, normalizes } = definition;
  const encoder = new Encoder(definition, tokens);
  const raw = new AddedTokenFinder(added.raw);
  const normalized = new AddedTokenFinder(added.normalized);
  const addWords = (text: string): void => encoder.add(text);
  const addNormalized = (text: string): void => between(normalizes ? nfc(text) : text, { finder: normalized, encoder, add: addWords });
  return (text: string, { addSpecialTokens }: EncodeOptions) => {
    encoder.reset();
    if (addSpecialTokens) for (const id of around.before) encoder.push(id);
    between(wellFormed(text), { finder: raw, encoder, add: addNormalized });
    if (addSpecialTokens) for (const id of around.after) encoder.push(id);
    return encoder.take();
  };
}

interface Between {
  finder: AddedTokenFinder;
  encoder: Encoder;
  /** Takes the stretches between added tokens. */
  add(text: string): void;
}

function between(text: string, { finder, encoder, add }: Between): void {
  let start = 0;
  for (const { at, id, content } of finder.find(text)) {
    if (at > start) add(text.slice(start, at));
    encoder.push(id);
    start = at + content.length;
  }
  if (start < text.length) add(start === 0 ? text : text.slice(start));
}

// Node 20 has it; the library that TypeScript is told of (es2023) does not.
const wellFormed = (text: string): string => (text as string & { toWellFormed(): string }).toWellFormed();
