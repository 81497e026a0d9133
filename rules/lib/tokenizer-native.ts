import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { surroundingsOf } from './bpe/template.ts';
import type { EncodeOptions, Tokenizer } from './tokenizer-contract.ts';
import { huggingfaceTokenizer } from './tokenizer-huggingface.ts';
import { completed, type TokenizerDefinition } from './tokenizer-repairs.ts';

/** The face of the npm package `tokenizers` 0.23 as far as it is used here. */
interface Library {
  Tokenizer: { fromString(json: string): Native };
}

interface Native {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }>;
  disableTruncation(): void;
  disablePadding(): void;
  tokenToId(token: string): number | null;
}

/**
 * The reference itself, compiled: npm `tokenizers` from the folder where the user has it. It encodes on threads of its own, one text at a time
 * here, so that a build takes no more cores than it was given.
 */
export function nativeTokenizer(model: Uint8Array, definition: Record<string, unknown>, folder: string): Tokenizer {
  const manifest = join(folder, 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const library = createRequire(manifest)(folder) as Library;
  const native = library.Tokenizer.fromString(Buffer.from(model).toString('utf8'));
  native.disableTruncation();
  native.disablePadding();
  const specialTokens = completed(definition).added_tokens.filter((token) => token.special === true);
  let loaded: Tokenizer | undefined;
  const general = (): Tokenizer => {
    loaded ??= huggingfaceTokenizer(definition);
    return loaded;
  };
  return {
    engine: `tokenizers@${version}`,
    around: surroundingsOf(completed(definition).post_processor) ?? general().around,
    vocabularySize: vocabularySizeOf(completed(definition)),
    specialTokens: specialTokens.map(({ content }) => content),
    differences: [],
    idOf: (token) => native.tokenToId(token) ?? undefined,
    ...encodeAfterPrepare(native),
    // Rarely asked for, and the native one could only promise it.
    decode: (ids, options) => general().decode(ids, options),
  };
}

/** Steps of one process may take turns between `prepare` and `encode`. */
const preparedMax = 16;

function encodeAfterPrepare(native: Native): Pick<Tokenizer, 'encode' | 'prepare'> {
  const prepared = new Map<string, Int32Array>();
  const nameOf = (text: string, { addSpecialTokens }: EncodeOptions): string => `${addSpecialTokens ? 1 : 0}${text}`;
  return {
    prepare: async (text: string, options: EncodeOptions) => {
      const { addSpecialTokens } = options;
      const encoding = await native.encode(wellFormed(text), null, { addSpecialTokens });
      prepared.set(nameOf(text, options), Int32Array.from(encoding.getIds()));
      if (prepared.size > preparedMax) prepared.delete([...prepared.keys()][0] as string);
    },
    encode: (text: string, options: EncodeOptions) => {
      const ids = prepared.get(nameOf(text, options));
      if (ids) return ids;
      throw new Error('this engine encodes only what was prepared');
    },
  };
}

/** The largest id plus one; a Unigram vocabulary is a list, and a token's id its place. */
function vocabularySizeOf({ model, added_tokens: added }: TokenizerDefinition): number {
  const vocabulary = model['vocab'];
  const ids = Array.isArray(vocabulary) ? [vocabulary.length - 1] : (Object.values(vocabulary as object) as number[]);
  return [...ids, ...added.map(({ id }) => id)].reduce((largest, id) => Math.max(largest, id), -1) + 1;
}

// Node 20 has it; the library that TypeScript is told of (es2023) does not.
const wellFormed = (text: string): string => (text as string & { toWellFormed(): string }).toWellFormed();
