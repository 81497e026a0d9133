import { Command, Option } from 'clipanion';
import { formatBytes, formatCount } from '../base/bytes.ts';
import type { Project } from '../engine/project.ts';
import type { GroupStats, TargetStats } from '../engine/stats.ts';
import type { Paint } from '../report/colour.ts';
import { table } from '../report/table.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

const heads = ['documents', 'samples', 'sequences', 'tokens', 'parts', 'bytes'];
const orBlank = (count: number): string => (count === 0 ? '' : formatCount(count));

const cells = ({ documents, samples, sequences, tokens, parts, bytes }: Omit<GroupStats, 'group'>): string[] => [
  ...[documents, samples, sequences, tokens, parts].map(orBlank),
  formatBytes(bytes),
];

function totalOf(groups: readonly GroupStats[]): GroupStats {
  const sum = (of: (group: GroupStats) => number): number => groups.reduce((total, group) => total + of(group), 0);
  return {
    group: 'all groups',
    parts: sum(({ parts }) => parts),
    documents: sum(({ documents }) => documents),
    samples: sum(({ samples }) => samples),
    sequences: sum(({ sequences }) => sequences),
    tokens: sum(({ tokens }) => tokens),
    bytes: sum(({ bytes }) => bytes),
  };
}

function outputLines({ output, groups }: TargetStats['outputs'][number], paint: Paint): string[] {
  const rows = groups.length > 1 ? [...groups, totalOf(groups)] : groups;
  const [head, ...lines] = table(
    [output === 'main' ? 'group' : `group of .${output}`, ...heads],
    rows.map((group) => [group.group, ...cells(group)]),
  );
  return [paint.dim(head as string), ...lines];
}

/** A law's two sides below each other, each with its terms; `=` is what they come to. */
function balanceLines({ law, left, right, total }: TargetStats['ledger'][number], paint: Paint): string[] {
  const sides = [left, right].map((terms) => terms.map(({ name, amount }) => `${name} ${formatCount(amount)}`).join(' + '));
  return [paint.dim(law), `  ${sides[0]} = ${formatCount(total)}`, `  ${sides[1]} = ${formatCount(total)}`];
}

function linesOf({ target, rule, outputs, ledger, notes }: TargetStats, paint: Paint): string[] {
  return [
    `${paint.bold(target)} ${paint.dim(rule)}`,
    ...notes.map((note) => paint.yellow(note)),
    ...outputs.flatMap((output) => outputLines(output, paint)),
    ...ledger.flatMap((balance) => balanceLines(balance, paint)),
    '',
  ];
}

export class StatsCommand extends ProjectCommand {
  static override paths = [['stats']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description: 'Say what targets hold, group by group, and where their documents and tokens went, as they were last built.',
    details: 'The ledger: both sides of each law, term by term. They are equal, since a build that does not balance fails.',
    examples: [
      ['one target', '$0 stats shards'],
      ['all of them', '$0 stats'],
      ['for programs', '$0 stats shards --json'],
    ],
  });

  targets = Option.Rest();

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      for (const target of this.#names(project)) {
        const found = await this.context.engine.stats(project, target);
        if (this.json) this.printJson(found);
        else this.print(linesOf(found, this.paint).join('\n'));
      }
      return exitCode.ok;
    });
  }

  #names({ graph }: Project): readonly string[] {
    return this.targets.length > 0 ? this.targets : graph.targets.map(({ name }) => name);
  }
}
