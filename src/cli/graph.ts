import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { select } from '../graph/select.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { graphDot, graphJson, graphMermaid, graphTree } from './show-graph.ts';

const formats = new Map([
  ['tree', graphTree],
  ['mermaid', graphMermaid],
  ['dot', graphDot],
]);

export class GraphCommand extends ProjectCommand {
  static override paths = [['graph']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Show which target needs which.',
    examples: [
      ['all targets', '$0 graph'],
      ['one, and what it needs', '$0 graph shards'],
      ['as a picture', '$0 graph --format dot | dot -Tsvg > graph.svg'],
      ['for a page in Markdown', '$0 graph --format mermaid'],
      ['for programs', '$0 graph --json'],
    ],
  });

  targets = Option.Rest();
  format = Option.String('--format', 'tree', {
    description: '<tree|mermaid|dot> Lines for people, a flowchart for Markdown, or a graph for Graphviz.',
  });

  async execute(): Promise<number> {
    const lines = formats.get(this.format);
    if (!lines) {
      const known = [...formats.keys()];
      throw new BuildError('usage', {
        message: `--format must be one of ${known.join(', ')}, but is "${this.format}".${didYouMean(this.format, known)}`,
        hint: 'For JSON there is --json.',
      });
    }
    return this.withProject(async ({ graph, root }) => {
      const targets = select(graph, { names: this.targets, tags: [] });
      if (this.json) this.printJson(graphJson(targets, root));
      else this.print(lines(targets, root).join('\n'));
      return exitCode.ok;
    });
  }
}
