import type { Problem } from '../config/problems.ts';
import type { TargetNode } from '../rule/target.ts';
import type { Ordered } from './order.ts';
import type { NamedTarget } from './walk.ts';

/** Outputs of a node by name, the main one first. */
export const outputNames = ({ rule }: TargetNode): readonly string[] =>
  typeof rule.output === 'string' ? ['main'] : Object.keys(rule.output);
export const mainOutput = (node: TargetNode): string => outputNames(node)[0] as string;

/** The first name of a node's main output; only if that has none, the first of another output. */
function namesFromConfig(named: readonly NamedTarget[]): Map<TargetNode, string> {
  const names = new Map<TargetNode, string>();
  const isMain = ({ target }: NamedTarget): boolean => target.output === mainOutput(target.node);
  for (const some of [named.filter(isMain), named]) {
    for (const { name, target } of some) if (!names.has(target.node)) names.set(target.node, name);
  }
  return names;
}

/** The name, with a number behind it if it is taken. */
export function freeName(name: string, used: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}-${n}`;
    if (!used.has(candidate)) return candidate;
  }
}

/**
 * Names for all nodes. One that the config does not name is called after the first named target that it feeds, and its rule:
 * `clean/filter`, and `clean/filter-2` if that is taken.
 */
export function nameNodes(named: readonly NamedTarget[], { inputs }: Pick<Ordered, 'inputs'>): ReadonlyMap<TargetNode, string> {
  const names = namesFromConfig(named);
  const used = new Set(named.map(({ name }) => name));
  const nameFeeders = (node: TargetNode, consumer: string): void => {
    for (const { target } of inputs.get(node)?.uses ?? []) {
      if (names.has(target.node)) continue;
      const name = freeName(`${consumer}/${target.node.rule.name}`, used);
      used.add(name);
      names.set(target.node, name);
      nameFeeders(target.node, consumer);
    }
  };
  for (const [node, name] of [...names]) nameFeeders(node, name);
  return names;
}

/** Two different things that one name would mean. */
export function nameClashes(named: readonly NamedTarget[], whereOf: (node: TargetNode) => string): Problem[] {
  const meant = new Map<string, { node: TargetNode; output: string }>();
  const problems: Problem[] = [];
  const mean = (name: string, node: TargetNode, output: string): void => {
    const other = meant.get(name);
    if (!other) meant.set(name, { node, output });
    else if (other.node !== node || other.output !== output) {
      const message = `this name stands for two targets: ${other.node.rule.name}() at ${whereOf(other.node)} and ${node.rule.name}() at ${whereOf(node)}`;
      problems.push({ where: whereOf(node), target: name, message });
    }
  };
  for (const { name, target } of named) mean(name, target.node, target.output);
  for (const [node, name] of namesFromConfig(named)) {
    for (const output of outputNames(node).slice(1)) mean(`${name}.${output}`, node, output);
  }
  return problems;
}
