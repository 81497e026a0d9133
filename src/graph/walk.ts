import { shownValue } from '../base/shown-value.ts';
import type { Targets } from '../config/define.ts';
import type { Problem } from '../config/problems.ts';
import { type AnyTarget, isTarget } from '../rule/target.ts';

/** A target and the name that the config gives it. */
export interface NamedTarget {
  readonly name: string;
  readonly target: AnyTarget;
}

/** A name stands in commands, in `clean.rejected` and `shards:17`, and in names of files. */
const goodName = /^[\p{L}\p{N}_@][\p{L}\p{N}_@.+=-]*$/u;
const isGood = (name: string): boolean => name.split('/').every((segment) => goodName.test(segment));

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

function whatIs(value: unknown): string {
  if (typeof value === 'function') return 'a function that was not called';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Promise) return 'a promise; await it';
  return typeof value === 'object' && value !== null ? 'an object of another kind' : shownValue(value);
}

/** All named targets in the order of the config; nested names are joined by `/`. A target may come under several names. */
export function namedTargets(targets: Targets, where: string): { named: NamedTarget[]; problems: Problem[] } {
  const named: NamedTarget[] = [];
  const problems: Problem[] = [];
  const above = new Set<unknown>();
  const walk = (value: unknown, name: string): void => {
    const bad = (message: string): void => void problems.push({ where, target: name, message });
    if (!isGood(name)) bad('is no good name; use letters, digits and _ @ . + = -, and begin with a letter or digit');
    else if (isTarget(value)) named.push({ name, target: value });
    else if (!isPlain(value)) bad(`must be a target or an object of targets, but is ${whatIs(value)}`);
    else if (above.has(value)) bad('holds itself');
    else into(value, `${name}/`);
  };
  const into = (folder: Readonly<Record<string, unknown>>, prefix: string): void => {
    above.add(folder);
    for (const [key, value] of Object.entries(folder)) walk(value, prefix + key);
    above.delete(folder);
  };
  into(targets, '');
  return { named, problems };
}
