import type { GraphTarget } from './graph.ts';

/** All that a target is made of, the nearest first. */
export function upstreamOf(target: GraphTarget): GraphTarget[] {
  const found = new Set<GraphTarget>();
  const visit = (from: GraphTarget): void => {
    for (const { from: next } of from.inputs) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(target);
  return [...found];
}
