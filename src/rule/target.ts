import type { Size } from './options.ts';
import type { Kind } from './part.ts';
import type { Rule } from './rule.ts';

const targetMark: unique symbol = Symbol.for('dsbuild.target');

/** Engine options that every target takes. None of them is ever in a key. */
export interface Common {
  /** Where the target's files are published: a folder, relative to the config that declares it, or `s3://bucket/prefix`. */
  out?: string | undefined;
  tags?: readonly string[] | undefined;
  resources?: { memory?: Size; cpus?: number } | undefined;
  /** Times that a failed step is tried again; 0 by default, 3 for steps that reach outside. */
  retries?: number | undefined;
  /** What a bad record does: `quarantine` counts and leaves it out (default), `fail` ends the target. */
  onBadRecord?: 'quarantine' | 'fail' | undefined;
  /** Share of bad records above which the target fails; 0.01 by default. */
  badRecordShareMax?: number | undefined;
}

export const commonOptionNames = ['out', 'tags', 'resources', 'retries', 'onBadRecord', 'badRecordShareMax'] as const;

/** One declared use of a rule; several targets can be outputs of one. */
export interface TargetNode {
  readonly rule: Rule;
  readonly inputs: Readonly<Record<string, NodeInput>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly common: Common;
  /** Stack of the declaring call, for `file:line` in errors. */
  readonly stack: string;
}

export type NodeInput = AnyTarget | readonly AnyTarget[] | Readonly<Record<string, AnyTarget>>;

/** A target as a value in a config: one output of one use of a rule. */
export interface Target<K extends Kind = Kind> {
  readonly [targetMark]: true;
  readonly kind: K;
  readonly node: TargetNode;
  readonly output: string;
}

export type AnyTarget = Target<Kind>;
export type Documents = Target<'documents'>;
export type Tokens = Target<'tokens'>;
/** The documents that stay; those that do not hang from it, with their reasons. */
export type WithRejected = Documents & { readonly rejected: Documents };

export const isTarget = (value: unknown): value is AnyTarget => typeof value === 'object' && value !== null && targetMark in value;

const outputsOf = ({ rule: { output } }: TargetNode): Readonly<Record<string, Kind>> =>
  typeof output === 'string' ? { main: output } : output;

function targetOf(node: TargetNode, output: string): AnyTarget {
  return { [targetMark]: true, kind: outputsOf(node)[output] as Kind, node, output };
}

/** A node's first output. */
export const mainTarget = (node: TargetNode): AnyTarget => targetOf(node, Object.keys(outputsOf(node))[0] as string);

/**
 * What a call of a rule gives. One output is a target; of several, `kept` is the target that the others hang from by name;
 * where none is called so, they are equals: an object of targets.
 */
export function targetsOf(node: TargetNode): AnyTarget | Readonly<Record<string, AnyTarget>> {
  const [main, ...others] = Object.keys(outputsOf(node)) as [string, ...string[]];
  const isSingle = typeof node.rule.output === 'string';
  if (!isSingle && main !== 'kept') return Object.freeze(Object.fromEntries([main, ...others].map((name) => [name, targetOf(node, name)])));
  const target = targetOf(node, main);
  for (const name of others) Object.defineProperty(target, name, { value: targetOf(node, name), enumerable: true });
  return Object.freeze(target);
}
