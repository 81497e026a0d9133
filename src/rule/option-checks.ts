import { publicAddress } from '../base/address.ts';
import { parseSize } from '../base/bytes.ts';
import { byCodeUnit, didYouMean } from '../base/names.ts';
import { shownValue } from '../base/shown-value.ts';
import type { OptionShape, Options } from './options.ts';
import { isSourceValue } from './source.ts';
import { isUserFunction } from './user-function.ts';

export interface OptionProblem {
  option: string;
  message: string;
}

const bounded = (value: number, shape: OptionShape): string | undefined => {
  if (shape.min !== undefined && value < shape.min) return `must be at least ${shape.min}, but is ${value}`;
  if (shape.max !== undefined && value > shape.max) return `must be at most ${shape.max}, but is ${value}`;
  return undefined;
};

const isPath = (value: unknown): boolean => typeof value === 'string' && value !== '' && !value.includes('\0');
const isTextIfAny = (value: unknown): boolean => value === undefined || typeof value === 'string';

/** Whether a source can be used as it is: config files are not always type-checked. */
function isSound(value: unknown): boolean {
  if (!isSourceValue(value)) return isPath(value);
  const { patterns, adapt, pin, endpoint, region, versions } = value;
  const isAdapted = adapt === undefined || (isUserFunction(adapt) && adapt.does === 'adapt');
  const isListed = Array.isArray(patterns) && patterns.length > 0 && patterns.every(isPath);
  return isListed && isAdapted && [pin, endpoint, region].every(isTextIfAny) && (versions === undefined || typeof versions === 'boolean');
}

const hidesSomething = (value: unknown): boolean =>
  isSourceValue(value) && value.endpoint !== undefined && publicAddress(value.endpoint) !== value.endpoint;

function sourceProblem(sources: readonly (readonly [string, unknown])[]): string | undefined {
  const wrong = sources.find(([, value]) => !isSound(value));
  const open = wrong ? undefined : sources.find(([, value]) => hidesSomething(value));
  if (open)
    return `"${open[0]}" must have an endpoint without user, password and token: credentials come from the environment or a profile`;
  return wrong && `"${wrong[0]}" must be a path, a glob, a URL, or files(...), url(...), s3(...), but is ${shownValue(wrong[1])}`;
}

/** The first problem of items that are named by their place. */
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
    return `must be a filter made by defineFilter, called with its options, or a list of such, but has ${shownValue(wrong)}`;
  return usesOf(value).length > 0 ? undefined : 'must name at least one filter';
}

const usesOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** One way to write a value, so that what means the same has one key. */
function normal(value: unknown, { type, fields = {} }: OptionShape): unknown {
  if (type === 'size') return parseSize(value as string);
  if (type === 'fields') return checkShapes(fields, value as Record<string, unknown>).values;
  if (type === 'words' && Array.isArray(value)) return [...new Set(value as string[])].sort(byCodeUnit);
  return type === 'uses' ? usesOf(value) : value;
}

const isWords = (value: unknown): boolean =>
  typeof value === 'boolean' || (Array.isArray(value) && value.every((word) => typeof word === 'string' && word.trim() !== ''));

/** What is wrong with the fields of an object, each named by its path. */
function fieldProblems(path: string, value: unknown, { fields = {}, together }: OptionShape): OptionProblem[] {
  if (!isRecord(value))
    return [{ option: path, message: `must be an object with ${Object.keys(fields).join(', ')}, but is ${shownValue(value)}` }];
  const { values, problems } = checkShapes(fields, value);
  const whole = problems.length === 0 ? together?.(values as never) : undefined;
  const found = whole ? [{ option: whole.field, message: whole.message }] : problems;
  return found.map(({ option, message }) => ({ option: `${path}.${option}`, message }));
}

function firstFieldProblem(value: unknown, shape: OptionShape): string | undefined {
  const [first] = fieldProblems('', value, shape);
  return first && (first.option === '' ? first.message : `${first.option.slice(1)} ${first.message}`);
}

const checks: Record<OptionShape['type'], (value: unknown, shape: OptionShape) => string | undefined> = {
  integer: (v, shape) => (Number.isSafeInteger(v) ? bounded(v as number, shape) : `must be a whole number, but is ${shownValue(v)}`),
  number: (v, shape) => (typeof v === 'number' && Number.isFinite(v) ? bounded(v, shape) : `must be a number, but is ${shownValue(v)}`),
  boolean: (v) => (typeof v === 'boolean' ? undefined : `must be true or false, but is ${shownValue(v)}`),
  text: (v) => (typeof v === 'string' ? undefined : `must be a text, but is ${shownValue(v)}`),
  choice: (v, { choices = [] }) =>
    choices.includes(v as string)
      ? undefined
      : `must be one of ${choices.join(', ')}, but is ${shownValue(v)}.${didYouMean(typeof v === 'string' ? v : '', choices)}`,
  size: (v) =>
    typeof v === 'string' && parseSize(v) !== undefined ? undefined : `must be a size such as '500MB' or '2GB', but is ${shownValue(v)}`,
  list: (v, { of }) =>
    Array.isArray(v)
      ? firstProblem(
          v.map((x, i) => [`[${i}]`, x] as const),
          of as OptionShape,
        )
      : `must be a list, but is ${shownValue(v)}`,
  record: (v, { of }) => (isRecord(v) ? firstProblem(Object.entries(v), of as OptionShape) : `must be an object, but is ${shownValue(v)}`),
  fields: (v, shape) => firstFieldProblem(v, shape),
  words: (v) => (isWords(v) ? undefined : `must be true or a list of words, but is ${shownValue(v)}`),
  file: (v) => (typeof v === 'string' && v !== '' ? undefined : `must be the path of a file, but is ${shownValue(v)}`),
  files: (v) =>
    Array.isArray(v) && v.every((x) => typeof x === 'string' && x !== '') ? undefined : `must be a list of paths, but is ${shownValue(v)}`,
  tokenizer: (v) =>
    typeof v === 'string' && v !== ''
      ? undefined
      : `must name a tokenizer (a path, 'npm:<package>' or a Hub name), but is ${shownValue(v)}`,
  sources: (v) =>
    isRecord(v) && Object.keys(v).length > 0
      ? sourceProblem(Object.entries(v))
      : `must be an object of '<category>/<name>': source, but is ${shownValue(v)}`,
  uses: (v) => usesProblem(v),
  secrets: (v) => (isRecord(v) ? undefined : `must be an object of name: secret('VARIABLE'), but is ${shownValue(v)}`),
};

/** What is wrong with a value that a config gave, as the end of a sentence that begins with the option's name. */
export function problemOf(value: unknown, shape: OptionShape): string | undefined {
  return checks[shape.type](value, shape);
}

const problemsOf = (name: string, value: unknown, shape: OptionShape): OptionProblem[] => {
  if (shape.type === 'fields') return fieldProblems(name, value, shape);
  const message = problemOf(value, shape);
  return message === undefined ? [] : [{ option: name, message }];
};

function checkShapes(
  shapes: Readonly<Record<string, OptionShape>>,
  given: Readonly<Record<string, unknown>>,
): { values: Record<string, unknown>; problems: OptionProblem[] } {
  const problems: OptionProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(shapes, name) || given[name] === undefined) continue;
    const known = Object.keys(shapes);
    const instead = didYouMean(name, known) || ` Its options: ${known.join(', ') || 'none'}.`;
    problems.push({ option: name, message: `is not an option of this rule.${instead}` });
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const value = Object.hasOwn(given, name) && given[name] !== undefined ? given[name] : shape.default;
    if (value === undefined && !shape.optional) problems.push({ option: name, message: 'is missing' });
    if (value === undefined) continue;
    const found = problemsOf(name, value, shape);
    problems.push(...found);
    if (found.length === 0) values[name] = normal(value, shape);
  }
  return { values, problems };
}

/**
 * Checks all options that a config gave to a rule and fills in defaults; sizes become bytes, so that '2GB' and '2000MB' have one key.
 * File-like options stay as given: the engine resolves them.
 */
export function checkOptions(
  options: Options,
  given: Readonly<Record<string, unknown>>,
): { values: Record<string, unknown>; problems: OptionProblem[] } {
  return checkShapes(Object.fromEntries(Object.entries(options).map(([name, { shape }]) => [name, shape])), given);
}
