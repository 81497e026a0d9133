import { moduleUrl } from '../../base/program.ts';
import type { Graph, GraphOutput, GraphTarget } from '../../graph/graph.ts';
import { freeName } from '../../graph/names.ts';
import type { Kind } from '../../rule/part.ts';
import { definedRules, type Rule } from '../../rule/rule.ts';
import type { Project } from '../project.ts';

/** Kinds whose lengths are counted; the rule's inputs are called like them. */
export type MeasuredKind = Extract<Kind, 'documents' | 'tokens' | 'shards'>;

const ruleName = 'statistics';
/** The key in the rule's inputs: an implicit target has one. */
const inputKey = 'of';
export const inputName = (kind: MeasuredKind): string => `${kind}.${inputKey}`;

export function measuredKind({ target, output }: GraphOutput): MeasuredKind | undefined {
  const kinds = target.rule.output;
  const kind = typeof kinds === 'string' ? kinds : kinds[output];
  return kind === 'documents' || kind === 'tokens' || kind === 'shards' ? kind : undefined;
}

/** A rule of the user's own that has the name of ours: one process can not know both. */
export function hasNamesake({ places }: Project): boolean {
  const stack = definedRules().get(ruleName)?.stack;
  return stack !== undefined && places.moduleOf(stack) !== undefined;
}

/** The target that counts what another one holds. It is in no config, so that a build knows nothing of it. */
export async function statisticsTarget(
  { graph }: Project,
  { name, of, kind, options }: { name: string; of: GraphOutput; kind: MeasuredKind; options: Readonly<Record<string, unknown>> },
): Promise<GraphTarget> {
  const { statistics } = (await import(moduleUrl(`rules/${ruleName}`))) as { statistics: { rule: Rule } };
  const { where, base, node, common } = of.target;
  return {
    name: freeName(`${name}/statistics`, new Set(graph.outputs.keys())),
    node: { rule: statistics.rule, inputs: {}, options, common: {}, stack: node.stack },
    rule: statistics.rule,
    options,
    common: { ...(common.resources && { resources: common.resources }) },
    inputs: [{ input: kind, key: inputKey, from: of.target, output: of.output }],
    where,
    base,
    out: undefined,
    named: false,
    filesOf: undefined,
  };
}

/** The target and what it needs, and nothing that only shares a folder with them. */
export function graphFor(target: GraphTarget, { targets, folders, outputs }: Graph): Graph {
  const needed = new Set([target]);
  for (const one of needed) for (const { from } of one.inputs) needed.add(from);
  const all = new Map(outputs).set(target.name, { target, output: 'main' });
  return { targets: [...targets.filter((one) => needed.has(one)), target], folders, outputs: all, get: (name) => all.get(name)?.target };
}
