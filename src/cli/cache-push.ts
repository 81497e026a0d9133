import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { isMoved, movedLines } from './show-remote.ts';

export class CachePushCommand extends ProjectCommand {
  static override paths = [['cache', 'push']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Send to the remote cache what was built here and is not there, whatever the last build did.',
    examples: [
      ['all that is built', '$0 cache push'],
      ['one target and what it needs', '$0 cache push shards'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const moved = await this.context.engine.pushCache(project, this.targets);
      if (this.json) this.printJson(moved);
      else this.print(movedLines(moved, this.paint).join('\n'));
      return isMoved(moved) ? exitCode.ok : exitCode.failed;
    });
  }
}
