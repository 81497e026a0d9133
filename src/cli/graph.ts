import { relative, sep } from 'node:path';
import { Command, Option } from 'clipanion';
import type { GraphTarget } from '../graph/graph.ts';
import { select } from '../graph/select.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

const posix = (path: string): string => path.split(sep).join('/');

interface Tree {
  readonly root: string;
  readonly lines: string[];
  readonly shown: Set<GraphTarget>;
}

function label({ name, rule, out, where }: GraphTarget, root: string): string {
  return `${name}  ${rule.name}${out === undefined ? '' : ` -> ${posix(relative(root, out))}`}  (${where})`;
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
export function graphLines(targets: readonly GraphTarget[], root: string): string[] {
  const needed = new Set(targets.flatMap(({ inputs }) => inputs.map(({ from }) => from)));
  const tree: Tree = { root, lines: [], shown: new Set() };
  for (const target of targets) if (!needed.has(target)) draw(tree, target, { first: '', rest: '' });
  return tree.lines;
}

export class GraphCommand extends ProjectCommand {
  static override paths = [['graph']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Show which target needs which.',
    examples: [
      ['all targets', '$0 graph'],
      ['one, and what it needs', '$0 graph shards'],
      ['for programs', '$0 graph --json'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async ({ graph, root }) => {
      const targets = select(graph, { names: this.targets, tags: [] });
      if (!this.json) this.print(graphLines(targets, root).join('\n'));
      else {
        const shown = targets.map(({ name, rule, where, out, inputs }) => ({
          target: name,
          rule: rule.name,
          where,
          ...(out !== undefined && { out: posix(relative(root, out)) }),
          inputs: inputs.map(({ from, output }) => ({ target: from.name, output })),
        }));
        this.printJson({ targets: shown });
      }
      return exitCode.ok;
    });
  }
}
