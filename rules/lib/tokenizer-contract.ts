import { BuildError, messageOf } from '../../src/base/errors.ts';

/** The engine's package and version (a test compares it with the installed one), and the revision of our repairs of it. Rules name it without loading it. */
export const huggingfaceEngine = '@huggingface/tokenizers@0.2.0+1';

/** dsbuild's own engine for BPE; the number changes whenever an id could. */
export const bpeEngine = 'dsbuild-bpe@2';

/** The bytes that make a tokenizer. Ids depend on `model` alone, as with PyPI `tokenizers`; `config` names EOS, PAD and BOS. */
export interface TokenizerFiles {
  /** tokenizer.json */
  model: Uint8Array;
  /** tokenizer_config.json */
  config?: Uint8Array | undefined;
  /** The engine to be taken, `name@version`; without it dsbuild's own where it represents the file, else the general one. */
  engine?: string | undefined;
  /** Folder of the npm package `tokenizers`, if that is the engine. */
  packageFolder?: string | undefined;
}

/** What every engine offers. Instances are immutable from outside and may be shared by all steps of a process. */
export interface Tokenizer {
  /** Engine with version and revision of dsbuild's repairs: whatever could change an id changes this. Goes into keys. */
  readonly engine: string;
  /** The largest id plus one: rows that an embedding needs. */
  readonly vocabularySize: number;
  /** Ids that the post-processor puts around a single text. */
  readonly around: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** Contents of the added tokens that are marked special, in the file's order. */
  readonly specialTokens: readonly string[];
  /** Parts of this tokenizer.json whose ids may differ from the reference under this engine, as sentences; usually empty. */
  readonly differences: readonly string[];
  /**
   * Ids of a text; lone surrogates count as U+FFFD, an empty text gives no ids but the special ones.
   *
   * @throws {BuildError} `text-too-long` when a stretch without any place to cut is longer than the engine's memory allows.
   */
  encode(text: string, options: EncodeOptions): Int32Array;
  /** Only of engines that work outside this thread: to be awaited before each `encode`, with the same arguments. */
  prepare?(text: string, options: EncodeOptions): Promise<void>;
  /** Text of ids, without any clean-up of spaces; ids outside the vocabulary are left out, as in the reference. */
  decode(ids: ArrayLike<number>, options: DecodeOptions): string;
  /** Id of a token by its exact spelling in the vocabulary. */
  idOf(token: string): number | undefined;
}

export interface EncodeOptions {
  /** Whether the post-processor's tokens (BOS and such) are put around the text. Truncation and padding settings of the file are ignored. */
  addSpecialTokens: boolean;
}

export interface DecodeOptions {
  skipSpecialTokens: boolean;
}

/** A JSON object from bytes. @throws {BuildError} `bad-tokenizer` naming the file. */
export function parseObject(bytes: Uint8Array, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BuildError('bad-tokenizer', {
      message: `${name} is not JSON: ${messageOf(cause)}${seen(bytes)}`,
      hint: seenHint(bytes),
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BuildError('bad-tokenizer', { message: `${name} is not a JSON object${seen(bytes)}`, hint: seenHint(bytes) });
}

const headOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 40)).toString('latin1');
const seen = (bytes: Uint8Array): string => ` (it begins ${JSON.stringify(headOf(bytes))})`;

function seenHint(bytes: Uint8Array): string {
  const head = headOf(bytes);
  if (head.startsWith('version https://git-lfs')) return 'This is a Git LFS pointer, not the file: run `git lfs pull`.';
  if (head.trimStart().startsWith('<')) return 'This is a web page, not the file: check the address it was downloaded from.';
  return 'Give the tokenizer.json of a "fast" tokenizer.';
}
