import { Command, Option } from 'clipanion';
import { formatCount } from '../base/bytes.ts';
import type { Project } from '../engine/project.ts';
import type { Distributions } from '../engine/statistics/shape.ts';
import type { TargetStats } from '../engine/stats.ts';
import { forPeople } from '../report/printed.ts';
import { columnsOf, isCi } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { ProgressLine } from './progress-line.ts';
import { ReadingCommand } from './reading-command.ts';
import { distributionLines, figureLines } from './show-stats.ts';
import { pageOf } from './stats-page.ts';
import { placeOfPage, writePage } from './write-page.ts';

/** What `--json` gives for a target. */
export interface StatsRecord extends TargetStats {
  /** Of a target that was named and whose kind has lengths. */
  readonly distributions?: Distributions;
}

export class StatsCommand extends ReadingCommand {
  static override paths = [['stats']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Say what targets hold, how long and how full it is, and where their documents and tokens went, as they were last built.',
    details:
      'Figures by group and the ledger (both sides of each law, term by term) are known at once. Of targets that are named, lengths and the ' +
      'vocabulary are counted as well: the first time that reads all of it, later only what changed. --figures leaves them out.',
    examples: [
      ['one target, with lengths and vocabulary', '$0 stats shards'],
      ['the figures of all of them', '$0 stats'],
      ['what is known at once', '$0 stats shards --figures'],
      ['a page with plots', '$0 stats shards --html'],
      ['for programs', '$0 stats shards --json'],
    ],
  });

  targets = Option.Rest();
  figures = Option.Boolean('--figures', false, { description: 'Only what is known without reading any data.' });
  html = Option.String('--html', {
    tolerateBoolean: true,
    description: '<file> Write one page with plots, as --html=<file>; by default <target>-stats.html.',
  });
  overwrite = Option.Boolean('--overwrite', false, { description: 'Write the page over a file that is none of ours.' });

  async execute(): Promise<number> {
    const page =
      this.html === undefined || this.html === false
        ? undefined
        : placeOfPage(this.html, { cwd: this.cwd, targets: this.targets, overwrite: this.overwrite });
    return this.reading(async (project) => {
      const records: StatsRecord[] = [];
      for (const target of this.#names(project)) records.push(await this.#tell(project, target));
      if (page !== undefined) {
        writePage(page, pageOf(records));
        if (!this.json) this.print(`written: ${page}`);
      }
      return exitCode.ok;
    });
  }

  #names({ graph }: Project): readonly string[] {
    return this.targets.length > 0 ? this.targets : graph.targets.map(({ name }) => name);
  }

  async #tell(project: Project, target: string): Promise<StatsRecord> {
    const figures = await this.context.engine.stats(project, target, this.use);
    if (!this.json) this.#printBlock(figureLines(forPeople(figures), this.paint));
    const isCounted = !this.figures && (this.targets.length > 0 || this.html !== undefined);
    const record = isCounted ? await this.#withDistributions(project, target, figures) : figures;
    if (this.json) this.printJson(record);
    return record;
  }

  async #withDistributions(project: Project, target: string, figures: TargetStats): Promise<StatsRecord> {
    const line = new ProgressLine(this.context.stderr, { redraws: !this.json && !isCi(this.context.env) });
    const tell = ({ done, total }: { done: number; total: number }): void =>
      line.show(() => `counting ${target}: ${formatCount(done)} of ${formatCount(total)} steps`);
    try {
      const found = await this.context.engine.distributions(project, target, { tell, use: this.use });
      line.clear();
      if (found === undefined) return figures;
      if ('missing' in found) {
        if (!this.json) this.#printBlock([this.paint.yellow(found.missing)]);
        return { ...figures, notes: [...figures.notes, found.missing] };
      }
      if (!this.json) this.#printBlock(distributionLines(forPeople(found), { paint: this.paint, columns: columnsOf(this.context.stdout) }));
      return { ...figures, distributions: found };
    } finally {
      line.clear();
    }
  }

  #printBlock(lines: readonly string[]): void {
    this.print(`${lines.join('\n')}\n\n`);
  }
}
