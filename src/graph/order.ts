import type { TargetNode } from '../rule/target.ts';
import { type ReadInputs, readInputs } from './inputs.ts';

/** All nodes that some need, each after those that it needs itself. */
export interface Ordered {
  /** In the order of the declarations, as far as needs allow. */
  readonly nodes: readonly TargetNode[];
  readonly inputs: ReadonlyMap<TargetNode, ReadInputs>;
  /** Nodes that need each other in a circle, each needing the next, the first again at the end. */
  readonly cycle: readonly TargetNode[] | undefined;
}

/** Depth first, so that the order follows from the declarations alone. */
export function inOrder(roots: Iterable<TargetNode>): Ordered {
  const nodes: TargetNode[] = [];
  const inputs = new Map<TargetNode, ReadInputs>();
  const path: TargetNode[] = [];
  let cycle: readonly TargetNode[] | undefined;
  const visit = (node: TargetNode): void => {
    const begun = path.indexOf(node);
    if (begun >= 0) cycle ??= [...path.slice(begun), node];
    if (inputs.has(node)) return;
    const read = readInputs(node);
    inputs.set(node, read);
    path.push(node);
    for (const { target } of read.uses) visit(target.node);
    path.pop();
    nodes.push(node);
  };
  for (const root of roots) visit(root);
  return { nodes, inputs, cycle };
}
