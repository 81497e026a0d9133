import { Command, Option } from 'clipanion';
import { formatBytes } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { forPeople } from '../report/printed.ts';
import { ask, canAsk } from './ask.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

export class CleanCommand extends ProjectCommand {
  static override paths = [['clean']];
  static override usage = Command.Usage({
    description: 'Remove from .dsbuild what no target needs any more. Published files and sources are never touched.',
    examples: [
      ['what would go', '$0 clean -n'],
      ['remove it', '$0 clean'],
      ['remove all of .dsbuild: the next build starts from nothing', '$0 clean --all'],
    ],
  });

  dryRun = Option.Boolean('-n,--dry-run', false, { description: 'Only say what would be removed.' });
  all = Option.Boolean('--all', false, { description: 'Everything that dsbuild keeps, also what is needed.' });
  yes = Option.Boolean('--yes', false, { description: 'Ask nothing.' });

  async execute(): Promise<number> {
    if (!(await this.#mayGo())) {
      this.print('nothing was removed');
      return exitCode.ok;
    }
    return this.withProject(async (project) => {
      const { removed, bytes } = await this.context.engine.clean(project, { dryRun: this.dryRun, all: this.all });
      if (this.json) this.printJson({ removed, bytes });
      else {
        const words = this.dryRun ? 'would be removed' : 'removed';
        this.print([...forPeople(removed), removed.length === 0 ? 'nothing to remove' : `${formatBytes(bytes)} ${words}`].join('\n'));
      }
      return exitCode.ok;
    });
  }

  /** What is still needed goes only when somebody says so. */
  async #mayGo(): Promise<boolean> {
    if (!this.all || this.dryRun || this.yes) return true;
    if (!canAsk(this.context)) throw new BuildError('usage', { message: 'clean --all removes all results', hint: 'Add --yes to do it.' });
    const answer = await ask(this.context, {
      question: 'Remove everything that dsbuild keeps? The next build starts from nothing',
      fallback: 'no',
    });
    return /^y(es)?$/i.test(answer);
  }
}
