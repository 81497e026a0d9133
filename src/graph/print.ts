import { relative, sep } from 'node:path';
import type { Graph, GraphTarget } from './graph.ts';

interface Branch {
  readonly target: GraphTarget;
  /** What stands before its own line, and before the lines below it. */
  readonly own: string;
  readonly below: string;
}

const labelOf = ({ name, rule }: GraphTarget, out: string | undefined): string =>
  `${name} (${rule.name})${out === undefined ? '' : ` -> ${out}`}`;

/**
 * The graph as lines of text: what nobody needs stands at the top, what it is made of below it. A target that several need is opened once.
 * What writes documents as files is not shown on its own: the documents show the folder.
 * @param base Folder that shown paths are relative to.
 */
export function printGraph(graph: Graph, base: string): string[] {
  const targets = graph.targets.filter(({ filesOf }) => filesOf === undefined);
  const files = new Map(graph.targets.flatMap(({ filesOf, out }) => (filesOf === undefined ? [] : [[filesOf, out] as const])));
  const outOf = ({ name, out = files.get(name) }: GraphTarget): string | undefined => out && relative(base, out).split(sep).join('/');
  const lines: string[] = [];
  const opened = new Set<GraphTarget>();
  const print = ({ target, own, below }: Branch): void => {
    const needs = [...new Set(target.inputs.map(({ from }) => from))];
    const again = opened.has(target) && needs.length > 0;
    opened.add(target);
    lines.push(`${own}${labelOf(target, outOf(target))}${again ? ' (above)' : ''}`);
    if (again) return;
    needs.forEach((need, i) => {
      const last = i === needs.length - 1;
      print({ target: need, own: `${below}${last ? '└─ ' : '├─ '}`, below: `${below}${last ? '   ' : '│  '}` });
    });
  };
  const needed = new Set(targets.flatMap(({ inputs }) => inputs.map(({ from }) => from)));
  for (const target of targets) if (!needed.has(target)) print({ target, own: '', below: '' });
  return lines;
}
