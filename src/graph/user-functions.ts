import { checkOptions, type OptionProblem } from '../rule/option-checks.ts';
import type { Rule } from '../rule/rule.ts';
import { isUserFunction, type UserFunction, userDefinition } from '../rule/user-function.ts';
import type { CheckedOptions } from './check-options.ts';

function checkedUse(use: UserFunction, place: string): { use: UserFunction; problems: OptionProblem[] } {
  const { values, problems } = checkOptions(userDefinition(use).options, use.options);
  const named = problems.map(({ option, message }) => ({ option: `${place} (${use.definition}) ${option}`, message }));
  return { use: { ...use, options: values }, problems: named };
}

/** Checks the options of the user's own filters within a target's options, and fills in their defaults: a key holds what they are called with. */
export function checkedUses(rule: Rule, values: Readonly<Record<string, unknown>>): CheckedOptions {
  const problems: OptionProblem[] = [];
  const checked = Object.entries(values).map(([option, value]) => {
    if (rule.options[option]?.shape.type !== 'uses') return [option, value] as const;
    const uses = (value as readonly unknown[]).map((one, i) => {
      if (!isUserFunction(one)) return one;
      const { use, problems: found } = checkedUse(one, `${option}[${i}]`);
      problems.push(...found);
      return use;
    });
    return [option, uses] as const;
  });
  return { values: Object.fromEntries(checked), problems };
}
