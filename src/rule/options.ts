import { parseSize } from '../base/bytes.ts';
import { didYouMean } from '../base/names.ts';
import type { Sources, SourceValue } from './source.ts';
import type { FileParts, TokenizerParts } from './step.ts';
import { isUserFunction, type UserFunction } from './user-function.ts';

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
  readonly doc?: string;
  readonly default?: unknown;
  readonly optional?: boolean;
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
export const list = <Seen, Given>(of: Option<Seen, Given>): Option<readonly Seen[], readonly Given[]> =>
  option({ type: 'list', of: of.shape });
export const record = <Seen, Given>(of: Option<Seen, Given>): Option<Readonly<Record<string, Seen>>, Readonly<Record<string, Given>>> =>
  option({ type: 'record', of: of.shape });
/** Decimal size with a unit (`'2GB'` = 2 * 10^9 bytes); the rule sees bytes. */
export const size = (): Option<number, Size> => option({ type: 'size' });
/** A file whose bytes are in the key; the rule sees a part, never the path. */
export const file = (): Option<FileParts[string], string> => option({ type: 'file' });
/** Several files, as `file`; the rule sees parts in the order given, with the names that were given. */
export const files = (): Option<FileParts, readonly string[]> => option({ type: 'files' });
/** A tokenizer.json by path, `npm:<package>` or Hub name, with the tokenizer_config.json beside it. */
export const tokenizer = (): Option<TokenizerParts, string> => option({ type: 'tokenizer' });
/** Where data comes from, keyed by group `<category>/<name>`. */
export const sources = (): Option<Sources, Readonly<Record<string, string | SourceValue>>> => option({ type: 'sources' });
/** Names of secrets: environment variables that a step may read by `io.secret`; in no key, log or cache. */
export const secrets = (): Option<Readonly<Record<string, string>>, Readonly<Record<string, unknown>>> => option({ type: 'secrets' });
/** One filter made by `defineFilter`, or several that are asked in order; the rule sees a list. */
export const uses = (): Option<readonly UserFunction[], UserFunction | readonly UserFunction[]> => option({ type: 'uses' });

export interface OptionProblem {
  option: string;
  message: string;
}

const show = (value: unknown): string => {
  const shown = typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
};

const bounded = (value: number, shape: OptionShape): string | undefined => {
  if (shape.min !== undefined && value < shape.min) return `must be at least ${shape.min}, but is ${value}`;
  if (shape.max !== undefined && value > shape.max) return `must be at most ${shape.max}, but is ${value}`;
  return undefined;
};

const firstProblem = (values: Iterable<readonly [string, unknown]>, of: OptionShape): string | undefined => {
  for (const [name, value] of values) {
    const problem = problemOf(value, of);
    if (problem) return `${name}: ${problem}`;
  }
  return undefined;
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function usesProblem(value: unknown): string | undefined {
  const wrong = usesOf(value).find((use) => !isUserFunction(use) || use.does !== 'filter');
  if (wrong !== undefined)
    return `must be a filter made by defineFilter, called with its options, or a list of such, but has ${show(wrong)}`;
  return usesOf(value).length > 0 ? undefined : 'must name at least one filter';
}

const usesOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** One way to write a value, so that what means the same has one key. */
function normal(value: unknown, { type }: OptionShape): unknown {
  if (type === 'size') return parseSize(value as string);
  return type === 'uses' ? usesOf(value) : value;
}

const checks: Record<OptionShape['type'], (value: unknown, shape: OptionShape) => string | undefined> = {
  integer: (v, shape) => (Number.isSafeInteger(v) ? bounded(v as number, shape) : `must be a whole number, but is ${show(v)}`),
  number: (v, shape) => (typeof v === 'number' && Number.isFinite(v) ? bounded(v, shape) : `must be a number, but is ${show(v)}`),
  boolean: (v) => (typeof v === 'boolean' ? undefined : `must be true or false, but is ${show(v)}`),
  text: (v) => (typeof v === 'string' ? undefined : `must be a text, but is ${show(v)}`),
  choice: (v, { choices = [] }) =>
    choices.includes(v as string) ? undefined : `must be one of ${choices.join(', ')}, but is ${show(v)}.${didYouMean(String(v), choices)}`,
  size: (v) =>
    typeof v === 'string' && parseSize(v) !== undefined ? undefined : `must be a size such as '500MB' or '2GB', but is ${show(v)}`,
  list: (v, { of }) =>
    Array.isArray(v)
      ? firstProblem(
          v.map((x, i) => [`[${i}]`, x] as const),
          of as OptionShape,
        )
      : `must be a list, but is ${show(v)}`,
  record: (v, { of }) => (isRecord(v) ? firstProblem(Object.entries(v), of as OptionShape) : `must be an object, but is ${show(v)}`),
  file: (v) => (typeof v === 'string' && v !== '' ? undefined : `must be the path of a file, but is ${show(v)}`),
  files: (v) =>
    Array.isArray(v) && v.every((x) => typeof x === 'string' && x !== '') ? undefined : `must be a list of paths, but is ${show(v)}`,
  tokenizer: (v) =>
    typeof v === 'string' && v !== '' ? undefined : `must name a tokenizer (a path, 'npm:<package>' or a Hub name), but is ${show(v)}`,
  sources: (v) =>
    isRecord(v) && Object.keys(v).length > 0 ? undefined : `must be an object of '<category>/<name>': source, but is ${show(v)}`,
  uses: (v) => usesProblem(v),
  secrets: (v) => (isRecord(v) ? undefined : `must be an object of name: secret('VARIABLE'), but is ${show(v)}`),
};

/** What is wrong with a value that a config gave, as the end of a sentence that begins with the option's name. */
export function problemOf(value: unknown, shape: OptionShape): string | undefined {
  return checks[shape.type](value, shape);
}

/**
 * Checks all options that a config gave to a rule and fills in defaults; sizes become bytes, so that '2GB' and '2000MB' have one key.
 * File-like options stay as given: the engine resolves them.
 */
export function checkOptions(
  options: Options,
  given: Readonly<Record<string, unknown>>,
): { values: Record<string, unknown>; problems: OptionProblem[] } {
  const problems: OptionProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(options, name) || given[name] === undefined) continue;
    problems.push({ option: name, message: `is not an option of this rule.${didYouMean(name, Object.keys(options))}` });
  }
  for (const [name, { shape }] of Object.entries(options)) {
    const value = Object.hasOwn(given, name) && given[name] !== undefined ? given[name] : shape.default;
    if (value === undefined && !shape.optional) problems.push({ option: name, message: 'is missing' });
    if (value === undefined) continue;
    const problem = problemOf(value, shape);
    if (problem) problems.push({ option: name, message: problem });
    else values[name] = normal(value, shape);
  }
  return { values, problems };
}
