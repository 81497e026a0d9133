import { BuildError } from '../base/errors.ts';
import type { Sources, SourceValue } from './source.ts';
import type { FileParts, TokenizerParts } from './step.ts';
import type { UserFunction } from './user-function.ts';

/** What an option looks like to everything that reads it as data: checking, flags of `run`, documentation, completion. */
export interface OptionShape {
  readonly type:
    | 'integer'
    | 'number'
    | 'boolean'
    | 'text'
    | 'choice'
    | 'size'
    | 'list'
    | 'record'
    | 'fields'
    | 'words'
    | 'file'
    | 'files'
    | 'tokenizer'
    | 'sources'
    | 'secrets'
    | 'uses';
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  readonly of?: OptionShape;
  /** Of type `fields`: what stands in the object, by name. */
  readonly fields?: Readonly<Record<string, OptionShape>>;
  /** What is wrong with fields of which each is right by itself. */
  readonly together?: (values: never) => FieldProblem | undefined;
  /** Of type `tokenizer`. */
  readonly engines?: TokenizerEngines;
  readonly doc?: string;
  readonly default?: unknown;
  readonly optional?: boolean;
}

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** The programs that can run a rule's tokenizers. Names are `name@version`, and change whenever an id could. */
export interface TokenizerEngines {
  /** dsbuild's own. */
  readonly own: string;
  /** What does all that the own one leaves. */
  readonly general: string;
  /** An optional npm package that does the same faster, in one of these versions. */
  readonly native: { readonly name: string; readonly versions: RegExp };
  /** Why the own engine does not represent a tokenizer.json exactly, as the end of "because it has ..."; undefined if it does. */
  whyNotOwn(model: Uint8Array): Promise<string | undefined>;
  /** Where ids of the general engine may differ from the reference, as sentences. */
  differences(model: Uint8Array): Promise<readonly string[]>;
  /** Turns ids back into text, for people: nothing of it is in any key. */
  decoder(model: Uint8Array): Promise<TokenDecoder>;
}

/** The way back from ids, as far as showing them needs it. */
export interface TokenDecoder {
  /** The largest id plus one. */
  readonly vocabularySize: number;
  /** Text of ids, special tokens included. */
  decode(ids: ArrayLike<number>): string;
}

declare const seenType: unique symbol;
declare const givenType: unique symbol;

/** An option of a rule: `Seen` is what the rule's plan gets, `Given` what the config writes. */
export interface Option<Seen, Given = Seen> {
  readonly shape: OptionShape;
  readonly [seenType]?: Seen;
  readonly [givenType]?: Given;
  default(value: Given): Option<Seen, Given | undefined>;
  optional(): Option<Seen | undefined, Given | undefined>;
  doc(text: string): Option<Seen, Given>;
}

export type Options = Readonly<Record<string, Option<unknown, unknown>>>;
export type OptionsSeen<P> = { readonly [N in keyof P]: P[N] extends Option<infer Seen, infer _G> ? Seen : never };
export type OptionsGiven<P> = { readonly [N in keyof P]?: (P[N] extends Option<infer _S, infer Given> ? Given : never) | undefined };

type GivenFor<O> = O extends Option<infer _S, infer Given> ? Given : never;
/** Options that must be given: neither `optional()` nor with a default. */
export type NeededOptions<P> = { readonly [N in keyof P]: undefined extends GivenFor<P[N]> ? never : N }[keyof P];
type FieldsGiven<P> = { readonly [N in NeededOptions<P>]: GivenFor<P[N]> } & {
  readonly [N in Exclude<keyof P, NeededOptions<P>>]?: GivenFor<P[N]> | undefined;
};

function option<Seen, Given = Seen>(shape: OptionShape): Option<Seen, Given> {
  return {
    shape,
    default: (value) => option<Seen, Given | undefined>({ ...shape, default: value }),
    optional: () => option<Seen | undefined, Given | undefined>({ ...shape, optional: true }),
    doc: (doc) => option<Seen, Given>({ ...shape, doc }),
  };
}

export type Size = `${number}${'KB' | 'MB' | 'GB' | 'TB'}`;

export const integer = (bounds: { min?: number; max?: number } = {}): Option<number> => option({ type: 'integer', ...bounds });
export const number = (bounds: { min?: number; max?: number } = {}): Option<number> => option({ type: 'number', ...bounds });
export const boolean = (): Option<boolean> => option({ type: 'boolean' });
export const text = (): Option<string> => option({ type: 'text' });
export const choice = <const C extends readonly string[]>(...choices: C): Option<C[number]> => option({ type: 'choice', choices });
/** Types that the engine turns into parts and digests, of options of rules: within another they would be in a key as the config wrote them. */
export const resolvedTypes: ReadonlySet<string> = new Set(['file', 'files', 'tokenizer', 'sources', 'secrets', 'uses']);

function inner(shape: OptionShape, place: string): OptionShape {
  if (!resolvedTypes.has(shape.type)) return shape;
  throw new BuildError('bad-rule', { message: `an option of type ${shape.type} can not stand in ${place}` });
}

/** @throws {BuildError} `bad-rule` for what the engine would have to resolve: a list of files is `fileList()`. */
export const list = <Seen, Given>(of: Option<Seen, Given>): Option<readonly Seen[], readonly Given[]> =>
  option({ type: 'list', of: inner(of.shape, 'a list') });
/** @throws {BuildError} `bad-rule` as `list`. */
export const record = <Seen, Given>(of: Option<Seen, Given>): Option<Readonly<Record<string, Seen>>, Readonly<Record<string, Given>>> =>
  option({ type: 'record', of: inner(of.shape, 'a record') });

/**
 * An object with fields of its own: `fields({ length: integer(), stride: integer().default(0) })`. Problems name `window.length`, and
 * `run` has a flag for each (`--window-length`).
 *
 * @param together judges the fields as a whole, once each of them is right.
 * @throws {BuildError} `bad-rule` for fields that the engine would have to resolve, such as files: those are options by themselves.
 */
export function fields<const P extends Options>(
  of: P,
  together?: (seen: OptionsSeen<P>) => FieldProblem | undefined,
): Option<OptionsSeen<P>, FieldsGiven<P>> {
  const shapes = Object.fromEntries(Object.entries(of).map(([name, { shape }]) => [name, inner(shape, `fields ("${name}")`)]));
  return option({ type: 'fields', fields: shapes, ...(together && { together }) });
}

/** A list of words, or `true` for the rule's own. The rule sees words in order, each once. */
export const words = (): Option<boolean | readonly string[]> => option({ type: 'words' });
/** Decimal size with a unit (`'2GB'` = 2 * 10^9 bytes); the rule sees bytes. */
export const size = (): Option<number, Size> => option({ type: 'size' });
/** A file whose bytes are in the key; the rule sees a part, never the path. */
export const file = (): Option<FileParts[string], string> => option({ type: 'file' });
/** Several files, as `file`; the rule sees parts in the order given, with the names that were given. */
export const files = (): Option<FileParts, readonly string[]> => option({ type: 'files' });
/**
 * A tokenizer.json by path, `npm:<package>` or Hub name, with the tokenizer_config.json beside it.
 *
 * @param engines the rule learns which of them is to run this file; that one is in the key.
 */
export const tokenizer = (engines?: TokenizerEngines): Option<TokenizerParts, string> =>
  option({ type: 'tokenizer', ...(engines && { engines }) });
/** Where data comes from, keyed by group `<category>/<name>`. */
export const sources = (): Option<Sources, Readonly<Record<string, string | SourceValue>>> => option({ type: 'sources' });
/** Names of secrets: environment variables that a step may read by `io.secret`; in no key, log or cache. */
export const secrets = (): Option<Readonly<Record<string, string>>, Readonly<Record<string, unknown>>> => option({ type: 'secrets' });
/** One filter made by `defineFilter`, or several that are asked in order; the rule sees a list. */
export const uses = (): Option<readonly UserFunction[], UserFunction | readonly UserFunction[]> => option({ type: 'uses' });
