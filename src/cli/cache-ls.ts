import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { holdingLines } from './show-remote.ts';

export class CacheLsCommand extends ProjectCommand {
  static override paths = [
    ['cache', 'ls'],
    ['cache', 'list'],
  ];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Say which targets the remote cache holds as the config stands, and what lies there, scope by scope.',
    examples: [
      ['all targets', '$0 cache ls'],
      ['for programs', '$0 cache ls --json'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const holdings = await this.context.engine.listRemote(project, this.targets);
      if (this.json) this.printJson(holdings);
      else this.print(holdingLines(holdings).join('\n'));
      return holdings.scopes ? exitCode.ok : exitCode.failed;
    });
  }
}
