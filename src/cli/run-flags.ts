import { Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { checkOptions, problemOf } from '../rule/option-checks.ts';
import type { OptionShape, Options } from '../rule/options.ts';
import type { Rule } from '../rule/rule.ts';
import { type Chain, chainOf, ruleCalls } from './run-chain.ts';

/** An option of a rule as a flag of `run`. */
export interface RuleFlag {
  readonly rule: Rule;
  readonly option: string;
  /** Where the option is an object of fields, the one that the flag is for. */
  readonly field?: string;
  readonly shape: OptionShape;
  /** `--max-seq-length`, `--window-length` */
  readonly flag: string;
}

/** `maxSeqLength` -> `max-seq-length` */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Functions, sources and secrets can not be said in a flag. */
const unsayable: ReadonlySet<string> = new Set(['sources', 'secrets', 'fields']);
const isSayable = (shape: OptionShape): boolean =>
  !unsayable.has(shape.type) &&
  !/^uses?$/.test(shape.type) &&
  (shape.of === undefined || ['text', 'integer', 'number', 'size', 'choice'].includes(shape.of.type));

const isNeeded = ({ optional, default: fallback }: OptionShape): boolean => optional !== true && fallback === undefined;

/** Whether flags can say what must be given. */
function canSay(shape: OptionShape): boolean {
  if (!isNeeded(shape)) return true;
  return shape.type === 'fields' ? Object.values(shape.fields ?? {}).every(canSay) : isSayable(shape);
}

/** Whether flags can say all that a rule must be told. */
const canRun = ({ options }: Rule): boolean => Object.values(options).every(({ shape }) => canSay(shape) || shape.type === 'sources');

/** Rules that can run on their own, each with those before and after it. */
export function runnableChains(face: Readonly<Record<string, unknown>>): ReadonlyMap<Rule, Chain> {
  const calls = ruleCalls(face);
  const found = [...calls.values()].flatMap(({ rule }): [Rule, Chain][] => {
    const chain = chainOf(rule, calls);
    // What takes its options from others has nothing to say on its own.
    return rule.inherit === undefined && chain?.calls.every((call) => canRun(call.rule)) ? [[rule, chain]] : [];
  });
  return new Map(found);
}

/**
 * The flags of a chain: the options of the rule that was asked for, then those of the others. Of two options with one name the first
 * counts; what a rule takes from those before it is not asked again. `taken` are flags that `run` has itself.
 */
export function flagsOf({ asked, calls }: Chain, taken: ReadonlySet<string>): RuleFlag[] {
  const rules = [asked, ...calls.map(({ rule }) => rule).filter((rule) => rule !== asked)];
  const seen = new Set(taken);
  return rules.flatMap((rule) =>
    Object.entries(rule.options)
      .flatMap(([option, { shape }]) => flagsFor(rule, option, shape))
      .filter(({ flag, shape }) => {
        if (seen.has(flag) || rule.inherit !== undefined || !isSayable(shape)) return false;
        seen.add(flag);
        return true;
      }),
  );
}

/** One flag, or one for each field: `--window-length`, `--window-stride`. */
function flagsFor(rule: Rule, option: string, shape: OptionShape): RuleFlag[] {
  const flag = `--${kebab(option)}`;
  if (shape.type !== 'fields') return [{ rule, option, shape, flag }];
  return Object.entries(shape.fields ?? {}).map(([field, inner]) => ({
    rule,
    option,
    field,
    // A field is only needed where another one of its object is given.
    shape: isNeeded(shape) ? inner : { ...inner, optional: true },
    flag: `${flag}-${kebab(field)}`,
  }));
}

const valueWords: Partial<Record<OptionShape['type'], string>> = {
  integer: 'n',
  number: 'x',
  size: 'size',
  file: 'file',
  files: 'file',
  tokenizer: 'tokenizer',
  record: 'name=value',
  words: 'true|word,word',
};

const defaultWords = ({ shape, flag }: RuleFlag): string =>
  shape.default === true ? `On by default; ${flag.replace('--', '--no-')} turns it off.` : `Default: ${String(shape.default)}.`;

function docOf(one: RuleFlag): string {
  const { shape } = one;
  const { type, choices = shape.of?.choices, doc = '', default: fallback } = shape;
  const word = choices?.join('|') ?? valueWords[shape.type] ?? 'text';
  const notes = [
    type === 'size' ? 'A bare number means GB.' : '',
    ['list', 'files', 'record'].includes(type) ? 'May be repeated.' : '',
    isNeeded(shape) ? 'Needed.' : '',
    fallback === undefined || (Array.isArray(fallback) && fallback.length === 0) ? '' : defaultWords(one),
  ];
  return `${type === 'boolean' ? '' : `<${word}> `}${[doc, ...notes].filter((part) => part !== '').join(' ')}`;
}

/** How clipanion reads a flag. */
export function optionFor(flag: RuleFlag): unknown {
  const description = docOf(flag);
  if (flag.shape.type === 'boolean') return Option.Boolean(flag.flag, { description });
  return ['list', 'files', 'record'].includes(flag.shape.type)
    ? Option.Array(flag.flag, { description })
    : Option.String(flag.flag, { description });
}

function entryOf(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new BuildError('usage', { message: `${flag} takes name=value, but got "${text}"`, hint: `For example ${flag} LANG=C.` });
}

/** What the command line said. */
export interface TypedFlags {
  /** The text of a flag, or several; undefined if it was not typed. */
  given(flag: RuleFlag): unknown;
  /** A path as it was typed, so that it means the same where the targets are declared. */
  path(typed: string): string;
}

/** A flag's text as the value that a config would write. */
function typedValue(given: unknown, { shape, ...flag }: RuleFlag, typed: TypedFlags): unknown {
  switch (shape.type) {
    case 'integer':
    case 'number': {
      const value = Number(String(given).replaceAll('_', ''));
      return String(given).trim() === '' || Number.isNaN(value) ? given : value;
    }
    case 'size':
      return /^\d+(\.\d+)?$/.test(String(given)) ? `${String(given)}GB` : given;
    case 'list':
      return (given as string[]).map((item) => typedValue(item, { ...flag, shape: shape.of as OptionShape }, typed));
    case 'record':
      return Object.fromEntries((given as string[]).map((item) => entryOf(item, flag.flag)));
    case 'file':
    case 'tokenizer':
      return typed.path(given as string);
    case 'words':
      return given === 'true' || given === 'false' ? given === 'true' : String(given).split(',');
    case 'files':
      return (given as string[]).map(typed.path);
    default:
      return given;
  }
}

/**
 * The options of each rule, from what the flags were given.
 * @throws {BuildError} `usage` for a value that does not fit, and for a flag that is needed and not there.
 */
export function optionsFrom(flags: readonly RuleFlag[], typed: TypedFlags): ReadonlyMap<Rule, Record<string, unknown>> {
  const options = new Map<Rule, Record<string, unknown>>();
  for (const one of flags) {
    const { rule, option, field, shape, flag } = one;
    const text = typed.given(one);
    const hint = hintOf(one);
    if (text === undefined && isNeeded(shape)) throw new BuildError('usage', { message: `${flag} is missing`, hint });
    if (text === undefined) continue;
    const value = typedValue(text, one, typed);
    const problem = problemOf(value, shape);
    if (problem !== undefined) throw new BuildError('usage', { message: `${flag} ${problem}`, hint });
    const given = options.get(rule) ?? {};
    options.set(rule, { ...given, [option]: field === undefined ? value : { ...(given[option] as object | undefined), [field]: value } });
  }
  for (const flag of flags) assertWhole(flag, options.get(flag.rule) ?? {});
  return options;
}

const hintOf = ({ rule, shape }: RuleFlag): string => shape.doc ?? `dsbuild run ${rule.name} --help tells more.`;

/** Fields that were given are a whole only together. */
function assertWhole(one: RuleFlag, given: Readonly<Record<string, unknown>>): void {
  const { rule, option, field, flag } = one;
  if (field === undefined || given[option] === undefined) return;
  const { problems } = checkOptions({ [option]: rule.options[option] as Options[string] }, { [option]: given[option] });
  const problem = problems.find((found) => found.option === `${option}.${field}`);
  if (problem) throw new BuildError('usage', { message: `${flag} ${problem.message}`, hint: hintOf(one) });
}
