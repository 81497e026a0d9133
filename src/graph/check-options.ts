import { didYouMean } from '../base/names.ts';
import { shownValue } from '../base/shown-value.ts';
import { isSecret } from '../config/secret.ts';
import { checkOptions, type OptionProblem, problemOf } from '../rule/option-checks.ts';
import type { OptionShape } from '../rule/options.ts';
import type { Rule } from '../rule/rule.ts';
import type { Common, TargetNode } from '../rule/target.ts';
import { checkedUses } from './user-functions.ts';

const resourceShapes: Readonly<Record<string, OptionShape>> = { memory: { type: 'size' }, cpus: { type: 'number', min: 0 } };

const commonShapes: { readonly [N in keyof Required<Common>]: OptionShape } = {
  out: { type: 'text' },
  tags: { type: 'list', of: { type: 'text' } },
  resources: { type: 'record', of: { type: 'text' } },
  retries: { type: 'integer', min: 0 },
  onBadRecord: { type: 'choice', choices: ['quarantine', 'fail'] },
  badRecordShareMax: { type: 'number', min: 0, max: 1 },
};

function resourceProblems(resources: unknown): OptionProblem[] {
  if (typeof resources !== 'object' || resources === null || Array.isArray(resources)) {
    return [{ option: 'resources', message: `must be an object such as { memory: '4GB', cpus: 2 }, but is ${shownValue(resources)}` }];
  }
  return Object.entries(resources).flatMap(([name, value]) => {
    const shape = Object.hasOwn(resourceShapes, name) ? resourceShapes[name] : undefined;
    const message = shape
      ? value !== undefined && problemOf(value, shape)
      : `is no resource.${didYouMean(name, Object.keys(resourceShapes))}`;
    return message ? [{ option: `resources.${name}`, message }] : [];
  });
}

/** What is wrong with the options that every target takes; where `out` may lie is judged elsewhere. */
export function commonProblems(common: Common): OptionProblem[] {
  return Object.entries(common).flatMap(([option, value]) => {
    if (value === undefined) return [];
    if (option === 'resources') return resourceProblems(value);
    const message =
      option === 'out' && value === '' ? 'must name a folder, but is empty' : problemOf(value, commonShapes[option as keyof Common]);
    return message === undefined ? [] : [{ option, message }];
  });
}

/** The value itself is never shown: it may be the secret. */
function secretProblems(rule: Rule, values: Readonly<Record<string, unknown>>): OptionProblem[] {
  return Object.entries(rule.options).flatMap(([option, { shape }]) => {
    const value = values[option];
    if (shape.type !== 'secrets' || value === undefined) return [];
    const bad = Object.entries(value as object).filter(([, secret]) => !isSecret(secret));
    return bad.map(([name]) => ({
      option: `${option}.${name}`,
      message: "must be secret('VARIABLE'), the name of an environment variable",
    }));
  });
}

const isDefined = ([, value]: readonly [string, unknown]): boolean => value !== undefined;

export interface CheckedOptions {
  readonly values: Readonly<Record<string, unknown>>;
  /** Without an option where the target as a whole is meant. */
  readonly problems: readonly { readonly option?: string; readonly message: string }[];
}

/**
 * Checks a node's options and fills in defaults. What is inherited stands behind what the config gives, and before a default;
 * it may have names that the rule's options do not list.
 */
export function checkedOptions({ rule, options }: TargetNode, inherited: Readonly<Record<string, unknown>>): CheckedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(isDefined));
  if (Object.keys(rule.inputs).length === 0 && Object.hasOwn(given, 'node') && Object.hasOwn(given, 'kind')) {
    return { values: {}, problems: [{ message: 'takes no target, only options; it is where data comes from' }] };
  }
  const handed = Object.entries(inherited).filter(isDefined);
  const listed = handed.filter(([name]) => Object.hasOwn(rule.options, name));
  const checked = checkOptions(rule.options, { ...Object.fromEntries(listed), ...given });
  const used = checkedUses(rule, checked.values);
  const values = { ...Object.fromEntries(handed), ...used.values };
  return { values, problems: [...checked.problems, ...used.problems, ...secretProblems(rule, used.values)] };
}
