import { Command, Option } from 'clipanion';
import type { WhyReport } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import type { Paint } from '../report/colour.ts';
import { forPeople } from '../report/printed.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

const stateWords: Readonly<Record<WhyReport['state'], string>> = {
  fresh: 'is fresh: nothing that goes into it has changed',
  stale: 'is stale',
  unknown: 'is not fresh; how much has to run is not known yet',
  'never-built': 'was never built',
  failed: 'can not be planned',
  blocked: 'can not be built',
};

const isUnbuildable = ({ state }: WhyReport): boolean => state === 'failed' || state === 'blocked';

const reasonLines = (report: WhyReport, paint: Paint): string[] =>
  isUnbuildable(report)
    ? [`${paint.bold(report.target)} ${stateWords[report.state]}: ${report.reasons.join('; ')}`]
    : staleLines(report, paint);

const staleLines = ({ target, state, reasons, outProblems }: WhyReport, paint: Paint): string[] => [
  `${paint.bold(target)} ${stateWords[state]}${outProblems.length > 0 ? '; but it would be published again' : ''}`,
  ...(state === 'fresh' ? outProblems : reasons.filter((reason) => reason !== 'never built')).map((reason) => `  ${reason}`),
];

export class WhyCommand extends ProjectCommand {
  static override paths = [['why']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Say why a target would be rebuilt: which file and lines, option, tokenizer or rule version changed.',
    examples: [
      ['one target', '$0 why shards'],
      ['all of them', '$0 why'],
      ['every changed entry with its digests', '$0 why shards --json'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      for (const target of this.#names(project)) {
        const report = await this.context.engine.why(project, target);
        if (this.json) this.printJson(report);
        else this.print(reasonLines(forPeople(report), this.paint).join('\n'));
      }
      return exitCode.ok;
    });
  }

  #names({ graph }: Project): readonly string[] {
    return this.targets.length > 0 ? this.targets : graph.targets.filter(({ named }) => named).map(({ name }) => name);
  }
}
