import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { shownValue } from '../base/shown-value.ts';
import { type OptionShape, resolvedTypes } from './options.ts';
import type { Kind } from './part.ts';

/** What may stand in a field of a definition. */
interface Field {
  readonly wanted: string;
  readonly isRight: (value: unknown) => boolean;
  readonly isOptional?: true;
  /** What is wrong with a value of the right form. */
  readonly problems?: (value: never) => readonly string[];
}
type Fields = Readonly<Record<string, Field>>;

const optional = (field: Field): Field => ({ ...field, isOptional: true });

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isListOf = (isRight: Field['isRight']) => (value: unknown) => Array.isArray(value) && Array.from(value).every(isRight);
const isRecordOf = (isRight: Field['isRight']) => (value: unknown) => isRecord(value) && Object.values(value).every(isRight);

const kinds = { files: 1, documents: 1, tokens: 1, shards: 1, table: 1, index: 1 } satisfies Record<Kind, 1>;
const kindWords = Object.keys(kinds).join(', ');
const isKind = (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(kinds, value);
const isInput = (value: unknown): boolean => isKind(value) || (isRecord(value) && isKind(value['many']));
const isOutput = (value: unknown): boolean =>
  isKind(value) || (isRecord(value) && Object.keys(value).length > 0 && isRecordOf(isKind)(value));
const isOption = (value: unknown): boolean =>
  isRecord(value) && isRecord(value['shape']) && typeof value['shape']['type'] === 'string' && typeof value['default'] === 'function';
const isStep = (value: unknown): boolean => isRecord(value) && isFilled(value['name']) && typeof value['run'] === 'function';

const name: Field = { wanted: "a text such as 'short'", isRight: isFilled };
const text: Field = { wanted: 'a text', isRight: (value) => typeof value === 'string' };
const version: Field = { wanted: 'a whole number', isRight: (value) => Number.isSafeInteger(value) };
const func: Field = { wanted: 'a function', isRight: (value) => typeof value === 'function' };
const names: Field = { wanted: 'a list of texts', isRight: isListOf(isFilled) };
const options: Field = { wanted: 'an object of options such as { charsMin: integer() }', isRight: isRecordOf(isOption) };

/** A filter gets its options as they were given: what lies behind a path would be in no key. */
const filterOptionProblems = (given: Readonly<Record<string, { readonly shape: OptionShape }>>): readonly string[] =>
  Object.entries(given).flatMap(
    ([
      option,
      {
        shape: { type },
      },
    ]) =>
      resolvedTypes.has(type) ? [`options.${option} is of type ${type}, which only rules can have: import what it needs instead`] : [],
  );

const filterFields: Fields = {
  name,
  version: optional(version),
  options: optional({ ...options, problems: filterOptionProblems }),
  decide: func,
};
const adapterFields: Fields = { name, adapt: func };
const ruleFields: Fields = {
  name,
  version,
  doc: optional(text),
  inputs: { wanted: `an object of name: kind or many(kind), of ${kindWords}`, isRight: isRecordOf(isInput) },
  output: { wanted: `a kind or an object of name: kind, of ${kindWords}`, isRight: isOutput },
  options,
  steps: { wanted: 'a list of steps made by defineStep', isRight: isListOf(isStep) },
  gathers: optional(func),
  inherit: optional(func),
  defaultsFor: optional(func),
  preview: optional(func),
  previewOnly: optional(func),
  check: optional({
    wanted: 'an object with step and requests',
    isRight: (value) => isRecord(value) && isStep(value['step']) && typeof value['requests'] === 'function',
  }),
  plan: func,
};
const stepFields: Fields = {
  name,
  version,
  outputs: optional({ ...names, isRight: (value) => names.isRight(value) && (value as unknown[]).length > 0 }),
  uses: optional(names),
  rowPure: optional(text),
  run: func,
};

const definitions = {
  defineFilter: filterFields,
  defineAdapter: adapterFields,
  defineRule: ruleFields,
  defineStep: stepFields,
  defineExternalStep: stepFields,
  defineCheck: { name, look: func },
} satisfies Record<string, Fields>;

function fieldProblems(field: string, value: unknown, { wanted, isRight, isOptional, problems }: Field): readonly string[] {
  if (value === undefined) return isOptional ? [] : [`${field} is missing: it must be ${wanted}`];
  if (!isRight(value)) return [`${field} must be ${wanted}, but is ${shownValue(value)}`];
  return problems ? problems(value as never) : [];
}

function problemsOf(given: unknown, fields: Fields): string[] {
  if (!isRecord(given)) return [`takes an object with ${Object.keys(fields).join(', ')}, but got ${shownValue(given)}`];
  const unknown = Object.keys(given).filter((field) => !Object.hasOwn(fields, field) && given[field] !== undefined);
  return [
    ...Object.entries(fields).flatMap(([field, one]) => fieldProblems(field, given[field], one)),
    ...unknown.map((field) => `${field} is not known here.${didYouMean(field, Object.keys(fields))}`),
  ];
}

/**
 * Refuses a definition with fields that are missing, of the wrong kind, or unknown: no compiler need have seen it.
 * @throws {BuildError} `bad-config`; who evaluates the user's module knows the place.
 */
export function checkDefinition(call: keyof typeof definitions, given: unknown): void {
  const fields: Fields = definitions[call];
  const problems = problemsOf(given, fields);
  if (problems.length === 0) return;
  const called = isRecord(given) && isFilled(given['name']) ? ` "${given['name']}"` : '';
  throw new BuildError('bad-config', {
    message: `${call}${called}: ${problems.join('; ')}`,
    hint: `${call} takes ${Object.entries(fields)
      .map(([field, { isOptional }]) => (isOptional ? `${field} (may be left out)` : field))
      .join(', ')}.`,
  });
}

/** Refuses what a filter was called with, if that is no object of options. */
export function checkCall(definition: string, given: unknown): asserts given is Readonly<Record<string, unknown>> {
  if (isRecord(given)) return;
  throw new BuildError('bad-config', {
    message: `"${definition}" takes an object of options, but got ${shownValue(given)}`,
    hint: 'Call it with its options, such as short({ charsMin: 80 }), or without any: short().',
  });
}
