import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { VerifyItem } from '../engine/api.ts';
import { forPeople } from '../report/printed.ts';
import { isCi } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { ProgressLine } from './progress-line.ts';
import { ProjectCommand } from './project-command.ts';
import { findingLines, progressWords, summaryLine } from './show-verify.ts';

/** `1%` or `0.01` as a share. */
function shareOf(text: string): number {
  const [, digits = '', percent] = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text) ?? [];
  const share = Number(digits) / (percent === '%' ? 100 : 1);
  if (digits !== '' && share > 0 && share <= 1) return share;
  throw new BuildError('usage', {
    message: `--rebuild takes a share, but got "${text}"`,
    hint: 'For example --rebuild 1%; 100% runs every step again.',
  });
}

export class VerifyCommand extends ProjectCommand {
  static override paths = [['verify']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Read again all that was built and published, and say what is damaged, missing, changed, or useless for training.',
    details:
      'Every byte that the last results name is hashed, in the store and where it was published, a bucket included (--quick lists it instead). Rules look at their files: double BOS, ' +
      'missing EOS, rows whose labels are all masked, splits without sequences, a manifest that says other counts. Nothing is changed: what is ' +
      'damaged in the store is made again by the build that needs it. Exits with 1 if anything is wrong.',
    examples: [
      ['all targets', '$0 verify'],
      ['one, with what it needs', '$0 verify shards'],
      ['without the traffic of reading a bucket', '$0 verify --quick'],
      ['also run a hundredth of all steps again: they must give the same bytes', '$0 verify --rebuild 1%'],
      ['one JSON object for each finding, and one for the summary', '$0 verify --json'],
    ],
  });

  targets = Option.Rest();
  rebuild = Option.String('--rebuild', { description: '<share> Run this share of the known steps again, such as 1%, and compare.' });

  quick = Option.Boolean('--quick', false, { description: 'List what is published in buckets instead of reading it: ETags tell.' });

  async execute(): Promise<number> {
    const rebuild = this.rebuild === undefined ? {} : { rebuild: shareOf(this.rebuild) };
    const line = new ProgressLine(this.context.stderr, { redraws: !this.json && !isCi(this.context.env) });
    return this.withProject(async (project) => {
      try {
        const { ok } = await this.context.engine.verify(project, { targets: this.targets, quick: this.quick, ...rebuild }, (item) =>
          this.#show(item, line),
        );
        return ok ? exitCode.ok : exitCode.failed;
      } finally {
        line.clear();
      }
    });
  }

  #show(found: VerifyItem, line: ProgressLine): void {
    const item = this.json ? found : forPeople(found);
    if (item.type === 'progress') return line.show(() => progressWords(item));
    line.clear();
    if (this.json) this.printJson(item);
    else if (item.type === 'finding') this.print(findingLines(item, this.paint).join('\n'));
    else if (item.type === 'note')
      this.print(this.paint.dim(`note: ${item.target === undefined ? '' : `${item.target}: `}${item.message}`));
    else this.print(summaryLine(item, this.paint));
  }
}
