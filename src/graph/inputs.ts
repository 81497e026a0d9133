import { didYouMean } from '../base/names.ts';
import { shownValue } from '../base/shown-value.ts';
import type { Kind } from '../rule/part.ts';
import type { InputSpec } from '../rule/rule.ts';
import { type AnyTarget, isTarget, type TargetNode } from '../rule/target.ts';

/** A target that a node takes. */
export interface Use {
  readonly input: string;
  readonly key: string;
  readonly target: AnyTarget;
}

/** The inputs of a node, read once: a config may have put getters there. */
export interface ReadInputs {
  readonly uses: readonly Use[];
  /** Ends of sentences that begin with the option, which is an input's name here. */
  readonly problems: readonly { readonly option?: string; readonly message: string }[];
}

const article = (kind: Kind): string => (kind === 'table' || kind === 'index' ? `${kind === 'index' ? 'an' : 'a'} ${kind}` : kind);

function whatIs(value: unknown): string {
  if (typeof value === 'function') return 'a function that was not called';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null
    ? `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`
    : shownValue(value);
}

/** The targets that an input was given, by key; undefined where the value has another form than the rule takes. */
function given(value: unknown, spec: InputSpec): (readonly [string, unknown])[] | undefined {
  if (typeof spec === 'string') return isTarget(value) ? [['', value]] : undefined;
  if (isTarget(value) || typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? value.map((target, i) => [String(i), target] as const) : Object.entries(value);
}

function readOne(input: string, value: unknown, spec: InputSpec): ReadInputs {
  const bad = (message: string): ReadInputs => ({ uses: [], problems: [{ option: input, message }] });
  // A config is bundled: what stands further down is undefined there, and no error of the language's.
  if (value === undefined) return bad('is undefined: declare the target above the line that takes it');
  const kind = typeof spec === 'string' ? spec : spec.many;
  const entries = given(value, spec);
  const wanted = typeof spec === 'string' ? 'must be a target' : 'must be a list or an object of targets';
  if (!entries) return bad(`${wanted}, but is ${isTarget(value) ? 'one target; write [it]' : whatIs(value)}`);
  if (entries.length === 0) return bad('must hold at least one target, but is empty');
  const uses: Use[] = [];
  const problems = entries.flatMap(([key, target]) => {
    const option = key === '' ? input : `${input}.${key}`;
    if (!isTarget(target)) return [{ option, message: `must be a target, but is ${whatIs(target)}` }];
    uses.push({ input, key, target });
    if (target.kind === kind) return [];
    return [{ option, message: `must be ${article(kind)}, but is ${article(target.kind)}, made by ${target.node.rule.name}()` }];
  });
  return { uses, problems };
}

/** Reads and checks what a node was given as inputs. */
export function readInputs({ rule, inputs }: TargetNode): ReadInputs {
  const names = Object.keys(rule.inputs);
  if (isTarget(inputs)) {
    return { uses: [], problems: [{ message: `takes an object of inputs { ${names.join(', ')} }, but got one target` }] };
  }
  const read = names.map((name) => readOne(name, inputs[name], rule.inputs[name] as InputSpec));
  const unknown = Object.keys(inputs).filter((name) => !names.includes(name));
  return {
    uses: read.flatMap(({ uses }) => uses),
    problems: [
      ...unknown.map((option) => ({ option, message: `is not an input of this rule.${didYouMean(option, names)}` })),
      ...read.flatMap(({ problems }) => problems),
    ],
  };
}
