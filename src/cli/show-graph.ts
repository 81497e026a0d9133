import { relative, sep } from 'node:path';
import type { GraphInput, GraphTarget } from '../graph/graph.ts';

const posix = (path: string): string => path.split(sep).join('/');
const outOf = ({ out }: GraphTarget, root: string): string | undefined =>
  out === undefined ? undefined : posix(relative(root, out)) || '.';

interface Tree {
  readonly root: string;
  readonly lines: string[];
  readonly shown: Set<GraphTarget>;
}

function label(target: GraphTarget, root: string): string {
  const out = outOf(target, root);
  return `${target.name}  ${target.rule.name}${out === undefined ? '' : ` -> ${out}`}  (${target.where})`;
}

/** A target with what it needs below it. What was shown above is not shown again. */
function draw(tree: Tree, target: GraphTarget, indent: { first: string; rest: string }): void {
  const again = tree.shown.has(target) && target.inputs.length > 0;
  tree.lines.push(`${indent.first}${again ? `${target.name}  (above)` : label(target, tree.root)}`);
  if (again) return;
  tree.shown.add(target);
  const needs = [...new Set(target.inputs.map(({ from }) => from))];
  for (const [i, need] of needs.entries()) {
    const last = i === needs.length - 1;
    draw(tree, need, { first: `${indent.rest}${last ? '└─ ' : '├─ '}`, rest: `${indent.rest}${last ? '   ' : '│  '}` });
  }
}

/** Targets as trees, each from what nothing else needs down to its sources. */
export function graphTree(targets: readonly GraphTarget[], root: string): string[] {
  const needed = new Set(targets.flatMap(({ inputs }) => inputs.map(({ from }) => from)));
  const tree: Tree = { root, lines: [], shown: new Set() };
  for (const target of targets) if (!needed.has(target)) draw(tree, target, { first: '', rest: '' });
  return tree.lines;
}

interface Arrow {
  readonly from: number;
  readonly to: number;
  /** Which output, where it is not the main one. */
  readonly output: string | undefined;
}

const mainOutput = ({ rule: { output } }: GraphTarget): string =>
  typeof output === 'string' ? 'main' : (Object.keys(output)[0] as string);

/** From what is needed to what needs it: the way of the data. An output that several inputs take is one arrow. */
function arrowsOf(targets: readonly GraphTarget[]): Arrow[] {
  const numbers = new Map(targets.map((target, i) => [target, i]));
  return targets.flatMap(({ inputs }, to) => {
    const each = new Map<string, GraphInput>(inputs.map((input) => [`${numbers.get(input.from)} ${input.output}`, input]));
    return [...each.values()].map(({ from, output }) => ({
      from: numbers.get(from) as number,
      to,
      output: output === mainOutput(from) ? undefined : output,
    }));
  });
}

const wordsOf = (target: GraphTarget, root: string): string[] => {
  const out = outOf(target, root);
  return [target.name, target.rule.name, ...(out === undefined ? [] : [`-> ${out}`])];
};

/**
 * A flowchart in Mermaid, as Markdown on GitHub shows it. Text stands in quotes, with entities for what could end it.
 * Source: https://mermaid.js.org/syntax/flowchart.html
 */
export function graphMermaid(targets: readonly GraphTarget[], root: string): string[] {
  const text = (words: string): string => words.replace(/[^\p{L}\p{N} ./*_>-]/gu, (character) => `#${character.codePointAt(0)};`);
  return [
    'flowchart LR',
    ...targets.map((target, i) => `  t${i}["${wordsOf(target, root).map(text).join('<br>')}"]`),
    ...arrowsOf(targets).map(({ from, to, output }) => `  t${from} -->${output === undefined ? '' : `|"${text(output)}"|`} t${to}`),
  ];
}

/** A directed graph in the DOT language. Source: https://graphviz.org/doc/info/lang.html */
export function graphDot(targets: readonly GraphTarget[], root: string): string[] {
  const quoted = (words: readonly string[]): string =>
    `"${words.map((word) => word.replace(/["\\]/g, '\\$&').replaceAll('\n', ' ')).join('\\n')}"`;
  return [
    'digraph dsbuild {',
    '  rankdir=LR;',
    '  node [shape=box];',
    ...targets.map((target, i) => `  t${i} [label=${quoted(wordsOf(target, root))}];`),
    ...arrowsOf(targets).map(
      ({ from, to, output }) => `  t${from} -> t${to}${output === undefined ? '' : ` [label=${quoted([output])}]`};`,
    ),
    '}',
  ];
}

/** Targets, each after those that it needs. */
export interface GraphJson {
  readonly targets: readonly {
    readonly target: string;
    readonly rule: string;
    /** `datasets.config.ts:12` */
    readonly where: string;
    /** Below the project's folder. */
    readonly out?: string;
    readonly inputs: readonly { readonly target: string; readonly output: string }[];
  }[];
}

/** What programs read. */
export function graphJson(targets: readonly GraphTarget[], root: string): GraphJson {
  return {
    targets: targets.map((target) => {
      const out = outOf(target, root);
      return {
        target: target.name,
        rule: target.rule.name,
        where: target.where,
        ...(out !== undefined && { out }),
        inputs: target.inputs.map(({ from, output }) => ({ target: from.name, output })),
      };
    }),
  };
}
