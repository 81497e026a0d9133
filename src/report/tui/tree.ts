import type { TargetView } from '../state.ts';

/** A target and how it hangs in the tree. */
export interface Branch {
  readonly target: TargetView;
  /** `│ └ `: what stands before its name. */
  readonly stem: string;
}

interface Node {
  readonly target: TargetView;
  readonly children: Node[];
}

/** Deeper ones are drawn as deep as this: narrow screens have no room for more. */
const depthMax = 8;

/**
 * Targets from the sources down: each below the last one that it needs, so that everything it needs stands above it. Targets come in an
 * order in which each follows what it needs.
 */
export function treeOf(targets: ReadonlyMap<string, TargetView>): Branch[] {
  const nodes = new Map<string, Node>();
  const readers = new Map<string, TargetView[]>();
  for (const target of targets.values()) {
    nodes.set(target.name, { target, children: [] });
    for (const need of new Set(target.needs)) {
      const known = readers.get(need);
      if (known) known.push(target);
      else readers.set(need, [target]);
    }
  }
  const left = new Map([...targets.values()].map(({ name, needs }) => [name, new Set(needs.filter((need) => targets.has(need))).size]));
  const roots: Node[] = [];
  const place = (node: Node, among: Node[]): void => {
    among.push(node);
    for (const reader of readers.get(node.target.name) ?? []) {
      const missing = (left.get(reader.name) as number) - 1;
      left.set(reader.name, missing);
      if (missing === 0) place(nodes.get(reader.name) as Node, node.children);
    }
  };
  const ready = [...targets.values()].filter(({ name }) => left.get(name) === 0);
  for (const { name } of ready) place(nodes.get(name) as Node, roots);
  return roots.flatMap((root) => branches(root, { own: '', below: '', depth: 0 }));
}

function branches({ target, children }: Node, { own, below, depth }: { own: string; below: string; depth: number }): Branch[] {
  const isDeep = depth >= depthMax;
  return [
    { target, stem: own },
    ...children.flatMap((child, i) => {
      const isLast = i === children.length - 1;
      if (isDeep) return branches(child, { own, below, depth });
      return branches(child, { own: `${below}${isLast ? '└ ' : '├ '}`, below: `${below}${isLast ? '  ' : '│ '}`, depth: depth + 1 });
    }),
  ];
}
