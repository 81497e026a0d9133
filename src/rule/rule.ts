import { BuildError } from '../base/errors.ts';
import type { RuleCheck } from './check.ts';
import { checkDefinition } from './definition-checks.ts';
import type { NeededOptions, Options, OptionsGiven, OptionsSeen } from './options.ts';
import type { Collection, Facts, Kind, Part } from './part.ts';
import type { StepDefinition, StepInputs } from './step.ts';
import {
  type AnyTarget,
  type Common,
  commonOptionNames,
  isTarget,
  type NodeInput,
  type Target,
  type TargetNode,
  targetsOf,
} from './target.ts';

/** `many('documents')` takes a list or a record of targets. */
export const many = <K extends Kind>(kind: K): { readonly many: K } => ({ many: kind });
export type InputSpec = Kind | { readonly many: Kind };
export type InputSpecs = Readonly<Record<string, InputSpec>>;
export type OutputSpec = Kind | Readonly<Record<string, Kind>>;

/** A step that was asked for: its outputs may be passed on at once; awaiting it gives what came out. */
export type Running<Out extends string = string> = PromiseLike<StepOutcome> & {
  readonly part: { readonly [N in Out]: Part };
};

export interface StepOutcome {
  /** Output parts in the order of their making, by output name. */
  readonly parts: Readonly<Record<string, readonly Part[]>>;
  readonly counters: Facts;
}

export interface Placed {
  /** The output of the target that the part belongs to; the first by default. */
  output?: string;
  /** The group; by default that of the step's first input. */
  group?: string;
  /** Path below `out`. */
  name?: string;
}

/** What a plan may do. It holds no worker; it must be deterministic: what it emits follows from its inputs and from step results alone. */
export interface Build {
  step<In extends StepInputs, P, Out extends string>(step: StepDefinition<In, P, Out>, inputs: In, params: P): Running<Out>;
  /** Takes the next place in the output, now; a running step's parts (all of its first output) come to stand there. */
  emit(item: Part | Running, placed?: Placed): void;
  /** Fails the target for a reason that only the plan can see, such as two groups that would write one file. */
  fail(code: string, details: { message: string; hint?: string }): never;
}

/** What `inherit` may read of the targets that feed a target, nearest first. */
export interface Ancestor {
  readonly rule: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly out: string | undefined;
}

export interface Rule {
  readonly name: string;
  readonly version: number;
  readonly doc: string;
  readonly inputs: InputSpecs;
  readonly output: OutputSpec;
  readonly options: Options;
  readonly steps: readonly StepDefinition<never, never, string>[];
  /** Whether it puts what came from several groups together: then `--only` neither builds nor publishes it. */
  readonly gathers: (options: Readonly<Record<string, unknown>>) => boolean;
  /** Options taken from targets upstream, for rules that write names into their bytes; they are in the key. */
  readonly inherit?: (ancestors: readonly Ancestor[], out: string | undefined) => Readonly<Record<string, unknown>>;
  /** Defaults that depend on where it publishes; they are in the key. */
  readonly defaultsFor?: (out: string | undefined) => Readonly<Record<string, unknown>>;
  /** The rows of one of its parts as a person wants to see them, one by one. */
  readonly preview?: (file: PreviewFile) => AsyncIterable<Readonly<Record<string, unknown>>>;
  /** The same for rows of these numbers only (from 0, rising), for files of which it would take long to go through all. */
  readonly previewOnly?: (file: PreviewFile, rows: readonly number[]) => AsyncIterable<Readonly<Record<string, unknown>>>;
  /** Looks at published files for what no digest tells: `dsbuild verify`. */
  readonly check?: RuleCheck;
  readonly plan: (inputs: never, options: never, build: Build) => Promise<void>;
}

/** A part to be shown: in memory, or where it lies, for formats that are read piece by piece. */
export interface PreviewFile {
  readonly part: Part;
  bytes(): Buffer;
  readonly path: string;
}

export type PlanInputs<I extends InputSpecs> = {
  readonly [N in keyof I]: I[N] extends Kind ? Collection : { readonly [name: string]: Collection };
};

type GivenInput<S> = S extends Kind
  ? Target<S>
  : S extends { many: infer K extends Kind }
    ? readonly Target<K>[] | Readonly<Record<string, Target<K>>>
    : never;
type IsOne<U, All = U> = U extends unknown ? ([All] extends [U] ? true : false) : never;
export type InputArgument<I extends InputSpecs> =
  IsOne<keyof I> extends true ? GivenInput<I[keyof I]> : { readonly [N in keyof I]: GivenInput<I[N]> };
export type OutTarget<O extends OutputSpec> = O extends Kind
  ? Target<O>
  : O extends { readonly kept: infer K extends Kind }
    ? Target<K> & { readonly [N in Exclude<keyof O, 'kept'>]: O[N] extends Kind ? Target<O[N]> : never }
    : { readonly [N in keyof O]: O[N] extends Kind ? Target<O[N]> : never };

type OptionsArgument<P extends Options> =
  NeededOptions<P> extends never ? [options?: OptionsGiven<P> & Common] : [options: OptionsGiven<P> & Common];

export type RuleCall<I extends InputSpecs, O extends OutputSpec, P extends Options> = (keyof I extends never
  ? (...options: OptionsArgument<P>) => OutTarget<O>
  : (input: InputArgument<I>, options?: OptionsGiven<P> & Common) => OutTarget<O>) & { readonly rule: Rule };

const rules = new Map<string, { rule: Rule; stack: string }>();
/** Every rule that was defined in this process, by name, with the stack of its definition. */
export const definedRules = (): ReadonlyMap<string, { rule: Rule; stack: string }> => rules;

/** All of one name, in the order of their definitions. */
const namesakes = new Map<string, Rule[]>();
/** What was defined under the same name after it. A module's bundle knows the last of its own. */
export function rulesAfter(rule: Rule): readonly Rule[] {
  const all = namesakes.get(rule.name) ?? [];
  return all.slice(all.indexOf(rule) + 1);
}

const reserved = new Set<string>();
/** From now on no rule may have the name of one that is defined: keys, workers and watching ones that live long know a rule by its name. */
export function reserveRuleNames(): void {
  for (const name of rules.keys()) reserved.add(name);
}

const stacks = new WeakMap<Rule, string>();
/** The stack of a rule's definition: two rules may have one name. */
export const stackOf = (rule: Rule): string => stacks.get(rule) ?? '';

const isCommon = (name: string): boolean => (commonOptionNames as readonly string[]).includes(name);

function nodeOf(rule: Rule, inputs: TargetNode['inputs'], given: Readonly<Record<string, unknown>>): TargetNode {
  const entries = Object.entries(given);
  const options = Object.fromEntries(entries.filter(([name]) => !isCommon(name)));
  const common = Object.fromEntries(entries.filter(([name]) => isCommon(name))) as Common;
  return { rule, inputs, options, common, stack: new Error('declared here').stack ?? '' };
}

function inputsOf(rule: Rule, argument: unknown): TargetNode['inputs'] {
  const [only, ...others] = Object.keys(rule.inputs);
  if (others.length > 0) return (argument ?? {}) as TargetNode['inputs'];
  return { [only as string]: argument as NodeInput };
}

/** The main output is the first one; where there is a `kept`, the call gives that. */
function assertKeptFirst({ name, output }: Rule): void {
  if (typeof output === 'string' || !Object.hasOwn(output, 'kept') || Object.keys(output)[0] === 'kept') return;
  throw new BuildError('bad-rule', { message: `rule "${name}": "kept" must be the first of its outputs` });
}

/**
 * Defines a rule: a kind of target. One file in `rules/`, or a module of the user's.
 * The call that it gives declares a target in a config.
 * @throws {BuildError} `bad-config`
 */
export function defineRule<const I extends InputSpecs, const O extends OutputSpec, const P extends Options>(definition: {
  name: string;
  version: number;
  doc?: string;
  inputs: I;
  output: O;
  options: P;
  steps: readonly StepDefinition<never, never, string>[];
  gathers?: Rule['gathers'];
  inherit?: Rule['inherit'];
  defaultsFor?: Rule['defaultsFor'];
  preview?: Rule['preview'];
  previewOnly?: Rule['previewOnly'];
  check?: RuleCheck;
  plan(inputs: PlanInputs<I>, options: OptionsSeen<P>, build: Build): Promise<void>;
}): RuleCall<I, O, P> {
  checkDefinition('defineRule', definition);
  const rule: Rule = { gathers: () => false, doc: '', ...definition, plan: definition.plan as Rule['plan'] } as Rule;
  if (reserved.has(rule.name)) {
    throw new BuildError('bad-config', {
      message: `defineRule "${rule.name}": dsbuild has a rule of that name`,
      hint: 'Give yours another name.',
    });
  }
  const stack = new Error('defined here').stack ?? '';
  rules.set(rule.name, { rule, stack });
  namesakes.set(rule.name, [...(namesakes.get(rule.name) ?? []), rule]);
  stacks.set(rule, stack);
  assertKeptFirst(rule);
  const hasInputs = Object.keys(rule.inputs).length > 0;
  const call = (first: unknown, second?: unknown): ReturnType<typeof targetsOf> => {
    const given = (hasInputs ? second : first) ?? {};
    return targetsOf(nodeOf(rule, hasInputs ? inputsOf(rule, first) : {}, given as Readonly<Record<string, unknown>>));
  };
  return Object.assign(call, { rule }) as unknown as RuleCall<I, O, P>;
}

/** The targets in one input of a node, with their names where a record was given. */
export function targetsIn(input: NodeInput): readonly (readonly [string, AnyTarget])[] {
  if (isTarget(input)) return [['', input]];
  if (Array.isArray(input)) return input.map((target, i) => [String(i), target as AnyTarget] as const);
  return Object.entries(input as Readonly<Record<string, AnyTarget>>);
}
