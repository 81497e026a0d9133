import { Command, Option } from 'clipanion';
import { formatCount } from '../base/bytes.ts';
import type { HeadRow } from '../engine/api.ts';
import { isTerminal } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { wholeNumber } from './numbers.ts';
import { ProjectCommand } from './project-command.ts';

const textShownMax = 300;
const itemsShownMax = 16;

/** A value as it fits a screen: long texts and lists are cut, and say so. */
function cut(value: unknown): unknown {
  if (typeof value === 'string' && value.length > textShownMax) {
    return `${value.slice(0, textShownMax)}… (${formatCount(value.length)} characters)`;
  }
  if (Array.isArray(value) && value.length > itemsShownMax)
    return [...value.slice(0, itemsShownMax), `… (${formatCount(value.length)} in all)`];
  return value;
}

const cutRow = (row: HeadRow['row']): string =>
  JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cut(value)])));

/** The reason stands beside the document: a document may have a field of that name. */
const wholeRow = ({ row, reason }: HeadRow): string => JSON.stringify(reason === undefined ? row : { reason, document: row });

export class HeadCommand extends ProjectCommand {
  static override paths = [['head']];
  static operands = '<target>';
  static override usage = Command.Usage({
    description: 'Show the first documents or training rows of a target, one JSON object a line.',
    details: 'In a terminal long texts and lists are cut; into a pipe or a file they are written whole.',
    examples: [
      ['ten documents', '$0 head clean'],
      ['three training rows', '$0 head shards -n 3'],
      ['what was dropped, and why', '$0 head clean --rejected'],
      ['with the group of each', '$0 head clean --json'],
    ],
  });

  target = Option.String();
  rows = Option.String('-n,--rows', '10', { description: '<n> How many; 10 by default.' });
  rejected = Option.Boolean('--rejected', false, { description: 'The dropped documents, with their reasons.' });

  async execute(): Promise<number> {
    const rows = wholeNumber('--rows', this.rows, 1) as number;
    const whole = !isTerminal(this.context.stdout);
    return this.withProject(async (project) => {
      for await (const found of this.context.engine.head(project, this.target, { rows, rejected: this.rejected })) {
        if (this.context.signal.aborted) break;
        if (this.json) this.printJson(found);
        else this.print(whole ? wholeRow(found) : this.#shown(found));
      }
      return exitCode.ok;
    });
  }

  #shown({ group, row, reason }: HeadRow): string {
    return [this.paint.dim(group), ...(reason === undefined ? [] : [this.paint.yellow(reason)]), cutRow(row)].join('  ');
  }
}
