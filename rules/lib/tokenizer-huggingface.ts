import { BuildError } from '../../src/base/errors.ts';
import { type DecodeOptions, type EncodeOptions, huggingfaceEngine, type Tokenizer } from './tokenizer-contract.ts';
import { isCuttable, segmentsOf } from './tokenizer-cuts.ts';
import {
  BPE,
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  type Engine,
  HuggingfaceTokenizer,
  SequenceDecoder,
  SequencePreTokenizer,
} from './tokenizer-library.ts';
import { differencesOf, repaired, type TokenizerDefinition } from './tokenizer-repairs.ts';
import { mergeLongWord } from './tokenizer-words.ts';

/** Without a place to cut, a text costs about 50 bytes a character; regular expressions overflow their stack at 16 M emoji. */
const stretchUnitsMax = 8 * 1024 * 1024;

/**
 * The pure JavaScript engine for every kind of tokenizer.json.
 *
 * As published it differs from Rust's `tokenizers` in a few character classes, takes O(n log n) objects for one long word (5 s and
 * 500 MB for 1 MB of "a") and about 48 bytes of memory per byte of text. Here the classes are mended, long words are merged in
 * windows and long texts are cut where the pre-tokenizer is sure to cut.
 */
export function huggingfaceTokenizer(source: Record<string, unknown>): Tokenizer {
  const definition = repaired(source);
  const engine = new HuggingfaceTokenizer(definition, unknownTokenOf(definition));
  mendWhitespace(engine.pre_tokenizer);
  keepByteOrderMarks(engine.decoder);
  mergeLongWordsInWindows(engine.model);
  const around = idsAround(engine);
  const specialTokens = definition.added_tokens.filter((token) => token.special === true);
  const special = new Set(specialTokens.map((token) => token.id));
  const segments = isCuttable(definition) ? segmentsOf : (text: string): Iterable<string> => [text];
  return {
    engine: huggingfaceEngine,
    vocabularySize: engine.model.vocab.length,
    around,
    specialTokens: specialTokens.map((token) => token.content),
    differences: differencesOf(source),
    idOf: (token: string) => engine.token_to_id(token),
    encode: (text: string, options: EncodeOptions) => {
      const pieces = Array.from(segments(wellFormed(text)), (segment) => idsOf(engine, segment));
      return concatenated(options.addSpecialTokens ? [around.before, ...pieces, around.after] : pieces);
    },
    decode: (ids: ArrayLike<number>, options: DecodeOptions) => {
      const known = Array.from(ids).filter((id) => engine.id_to_token(id) !== undefined && !(options.skipSpecialTokens && special.has(id)));
      return known.length === 0 ? '' : engine.decode(known, { clean_up_tokenization_spaces: false });
    },
  };
}

/** The engine looks for WordLevel's unknown token in the configuration; all other settings there would change ids, unlike the reference. */
function unknownTokenOf(definition: TokenizerDefinition): { unk_token?: string } {
  const unknown = definition.model['unk_token'];
  return typeof unknown === 'string' ? { unk_token: unknown } : {};
}

/** JavaScript's `\s` has U+FEFF and lacks U+0085; Unicode's White_Space, which the reference uses, is the other way round. */
function mendWhitespace(preTokenizer: unknown): void {
  if (preTokenizer instanceof SequencePreTokenizer) for (const inner of preTokenizer.tokenizers) mendWhitespace(inner);
  if (!(preTokenizer instanceof ByteLevelPreTokenizer)) return;
  const { source, flags } = preTokenizer.pattern;
  preTokenizer.pattern = new RegExp(source.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'), flags);
}

/** A TextDecoder drops U+FEFF from the front unless told otherwise. */
function keepByteOrderMarks(decoder: unknown): void {
  if (decoder instanceof SequenceDecoder) for (const inner of decoder.decoders) keepByteOrderMarks(inner);
  if (decoder instanceof ByteFallbackDecoder) decoder.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
}

function mergeLongWordsInWindows(model: unknown): void {
  if (!(model instanceof BPE) || model.continuing_subword_suffix || model.end_of_word_suffix) return;
  const longestTokenUnits = model.vocab.reduce<number>((longest, token) => Math.max(longest, token?.length ?? 0), 1);
  const windowUnits = Math.max(512, 8 * longestTokenUnits);
  const merge = model.bpe.bind(model);
  model.bpe = (word) => (word.length <= 2 * windowUnits ? merge(word) : mergeLongWord(word, { merge, windowUnits }));
}

/** What the post-processor puts before and after a text, found by showing it a text of one impossible token. */
function idsAround(engine: Engine): Tokenizer['around'] {
  const text = '\uFFFFtext\uFFFF';
  const tokens = engine.post_processor === null ? [text] : engine.post_processor([text], null, true).tokens;
  const at = tokens.indexOf(text);
  const ids = (names: readonly string[]): number[] => names.map((name) => idOfSpecial(engine, name));
  return { before: ids(tokens.slice(0, at)), after: ids(tokens.slice(at + 1)) };
}

function idOfSpecial(engine: Engine, name: string): number {
  const id = engine.token_to_id(name);
  if (id === undefined) throw new Error(`its post_processor adds "${name}", which is not in the vocabulary`);
  return id;
}

function idsOf(engine: Engine, text: string): number[] {
  if (text.length > stretchUnitsMax) throw tooLong(text.length);
  // A token without an id and without an unknown token is left out by the reference.
  return engine.encode(text, { add_special_tokens: false }).ids.filter((id) => id !== undefined);
}

function tooLong(units: number): BuildError {
  return new BuildError('text-too-long', {
    message: `a text has ${units.toLocaleString('en-US')} characters without a place where this tokenizer surely cuts; the limit is ${stretchUnitsMax.toLocaleString('en-US')}`,
    hint: 'Split the record before `tokenize`, or drop it with a filter: such texts are mostly encoded binary data.',
  });
}

// Node 20 has it; the library that TypeScript is told of (es2023) does not.
const wellFormed = (text: string): string => (text as string & { toWellFormed(): string }).toWellFormed();

function concatenated(pieces: readonly ArrayLike<number>[]): Int32Array {
  const all = new Int32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
