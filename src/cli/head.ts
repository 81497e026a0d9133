import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import type { HeadOptions, HeadRow } from '../engine/api.ts';
import { forPeople } from '../report/printed.ts';
import { columnsOf, isTerminal } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { wholeNumber } from './numbers.ts';
import { ReadingCommand } from './reading-command.ts';
import { blockOf } from './show-head.ts';

const seedBelow = 1_000_000;

/** The reason stands beside the document: a document may have a field of that name. */
const wholeRow = ({ row, reason }: HeadRow): string => JSON.stringify(reason === undefined ? row : { reason, document: row });

export class HeadCommand extends ReadingCommand {
  static override paths = [['head']];
  static operands = '<target>';
  static override usage = Command.Usage({
    description: 'Show the first documents or training rows of a target, or some from anywhere.',
    details:
      'In a terminal each is a block: long texts are folded and cut, ids stand with their texts, documents of a row apart, and ids whose label ' +
      'is masked in ( ). Into a pipe or a file each is one JSON object a line, whole. What is not on this machine is fetched from the shared cache.',
    examples: [
      ['ten documents', '$0 head clean'],
      ['three training rows', '$0 head shards -n 3'],
      ['five from anywhere, and the same ones each time', '$0 head clean --random -n 5 --seed 7'],
      ['what was dropped, and why', '$0 head clean --rejected'],
      ['with group, place, and decoded tokens', '$0 head shards --json'],
    ],
  });

  target = Option.String();
  rows = Option.String('-n,--rows', '10', { description: '<n> How many; 10 by default.' });
  rejected = Option.Boolean('--rejected', false, { description: 'The dropped documents, with their reasons.' });
  random = Option.Boolean('--random', false, { description: 'Rows from anywhere in the target, each as likely as the others.' });
  seed = Option.String('--seed', { description: '<n> With --random: one seed gives the same rows each time.' });

  async execute(): Promise<number> {
    const pretty = isTerminal(this.context.stdout) && !this.json;
    const options = this.#options(pretty || this.json);
    return this.reading(async (project) => {
      for await (const found of this.context.engine.head(project, this.target, options)) {
        if (this.context.signal.aborted) break;
        if (this.json) this.printJson(found);
        else if (pretty) this.print(blockOf(forPeople(found), { paint: this.paint, columns: columnsOf(this.context.stdout) }).join('\n'));
        else this.print(wholeRow(found));
      }
      if (options.seed !== undefined && this.seed === undefined && pretty)
        this.print(this.paint.dim(`the same rows again: --seed ${options.seed}`));
      return exitCode.ok;
    });
  }

  #options(texts: boolean): HeadOptions {
    const rows = wholeNumber('--rows', this.rows, 1) as number;
    const seed = wholeNumber('--seed', this.seed, 0);
    if (seed !== undefined && !this.random) {
      throw new BuildError('usage', { message: '--seed has no effect without --random', hint: `For example --random --seed ${seed}.` });
    }
    const drawn = this.random ? { seed: seed ?? Math.floor(Math.random() * seedBelow) } : {};
    return { rows, rejected: this.rejected, texts, ...drawn, ...this.use };
  }
}
