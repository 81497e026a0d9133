import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { isMoved, movedLines } from './show-remote.ts';

export class CachePullCommand extends ProjectCommand {
  static override paths = [['cache', 'pull']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Bring results and bytes of all outputs from the remote cache. Nothing runs, and nothing is published.',
    examples: [
      ['all targets', '$0 cache pull'],
      ['one target and what it needs', '$0 cache pull shards'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const moved = await this.context.engine.pullCache(project, this.targets);
      if (this.json) this.printJson(moved);
      else this.print(movedLines(moved, this.paint).join('\n'));
      return isMoved(moved) ? exitCode.ok : exitCode.failed;
    });
  }
}
