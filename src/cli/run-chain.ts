import type { Kind } from '../rule/part.ts';
import type { Rule } from '../rule/rule.ts';
import type { AnyTarget } from '../rule/target.ts';

/** A rule as a config calls it. */
export type RuleCall = ((first?: unknown, second?: unknown) => AnyTarget) & { readonly rule: Rule };

/** Rules in the order of the data's way, with one of them asked for. */
export interface Chain {
  readonly asked: Rule;
  readonly calls: readonly RuleCall[];
}

const isRuleCall = (value: unknown): value is RuleCall => typeof value === 'function' && 'rule' in value;

/** All rules that configs can call, by name. */
export const ruleCalls = (face: Readonly<Record<string, unknown>>): ReadonlyMap<string, RuleCall> =>
  new Map(
    Object.values(face)
      .filter(isRuleCall)
      .map((call) => [call.rule.name, call]),
  );

/** Who makes what a rule takes, where only the rule itself was asked for. */
const makers: Partial<Record<Kind, string>> = { documents: 'download', tokens: 'tokenize', shards: 'shard' };
/** What nobody can use as it is goes on to these. */
const takers: Partial<Record<Kind, string>> = { tokens: 'shard', shards: 'index' };

const outputKind = ({ output }: Rule): Kind => (typeof output === 'string' ? output : (Object.values(output)[0] as Kind));

function inputKind({ inputs }: Rule): Kind | undefined {
  const [only, ...others] = Object.values(inputs);
  if (only === undefined || others.length > 0) return undefined;
  return typeof only === 'string' ? only : only.many;
}

function upstream(rule: Rule, calls: ReadonlyMap<string, RuleCall>): RuleCall[] | undefined {
  if (Object.keys(rule.inputs).length === 0) return [];
  const maker = calls.get(makers[inputKind(rule) as Kind] ?? '');
  const above = maker && upstream(maker.rule, calls);
  return above && [...above, maker];
}

function downstream(rule: Rule, calls: ReadonlyMap<string, RuleCall>): RuleCall[] {
  const taker = calls.get(takers[outputKind(rule)] ?? '');
  return taker ? [taker, ...downstream(taker.rule, calls)] : [];
}

/** From files to a rule, and on to something that can be published; undefined for rules that take more than files and flags. */
export function chainOf(asked: Rule, calls: ReadonlyMap<string, RuleCall>): Chain | undefined {
  const above = upstream(asked, calls);
  const call = calls.get(asked.name);
  return above && call && { asked, calls: [...above, call, ...downstream(asked, calls)] };
}

export interface ChainValues {
  readonly sources: Readonly<Record<string, unknown>>;
  /** Options by rule. */
  readonly options: ReadonlyMap<Rule, Readonly<Record<string, unknown>>>;
  readonly out: string;
}

/** The targets of a chain, each taking the one before. What has files of its own gets `out`; an index lies beside its shards. */
export function targetsOfChain({ calls }: Chain, { sources, options, out }: ChainValues): Record<string, AnyTarget> {
  const publishing = [...calls].reverse().find(({ rule }) => outputKind(rule) !== 'index');
  const targets: Record<string, AnyTarget> = {};
  let last: AnyTarget | undefined;
  for (const call of calls) {
    const given = { ...options.get(call.rule), ...(call === publishing && { out }) };
    const [input] = Object.values(call.rule.inputs);
    last = last === undefined ? call({ sources, ...given }) : call(typeof input === 'string' ? last : [last], given);
    targets[call.rule.name] = last;
  }
  return targets;
}
