import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

export class UpdateCommand extends ProjectCommand {
  static override paths = [['update']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Look again at what remote sources and tokenizers resolve to, and write it into dsbuild.lock.',
    details: 'A build only ever adds entries to dsbuild.lock; this is the command that changes them. Nothing is built.',
    examples: [
      ['everything', '$0 update'],
      ['the sources of one target', '$0 update raw'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const { changed } = await this.context.engine.update(project, this.targets);
      if (this.json) this.printJson({ changed });
      else
        this.print(
          changed.length === 0
            ? 'dsbuild.lock is up to date'
            : ['changed in dsbuild.lock:', ...changed.map((entry) => `  ${entry}`)].join('\n'),
        );
      return exitCode.ok;
    });
  }
}
