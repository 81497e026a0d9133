import { Command, Option } from 'clipanion';
import type { BuildEvent } from '../base/events.ts';
import { plainReporter } from '../report/plain.ts';
import { eventsOf, findRun, type RecordedEvent, readingRun, runRecord, runsIn } from '../report/recorded.ts';
import { exitCode } from './exit-codes.ts';
import { RunsCommand } from './runs-command.ts';
import { failureLines, isOfTarget, runLine, stepLine, targetsNamed } from './show-logs.ts';

/** What failed, and what made it fail. */
const isFailure = (event: BuildEvent): boolean => ['step-failed', 'target-failed', 'target-blocked'].includes(event.type);

export class LogsCommand extends RunsCommand {
  static override paths = [['logs']];
  static operands = '[target]';
  static override usage = Command.Usage({
    description: 'Say again what a run said: what was built and why, warnings, and failures with the end of what programs wrote to stderr.',
    details: 'Each build, also one of `watch`, is on record in .dsbuild/runs; the last hundred are kept.',
    examples: [
      ['the last run', '$0 logs'],
      ['only what it says of one target', '$0 logs shards'],
      ['only what failed, each attempt of a step included', '$0 logs --failed'],
      ['every step that ran, with its time', '$0 logs shards --steps'],
      ['which runs are on record', '$0 logs --runs'],
      ['an earlier one, by the beginning of its name', '$0 logs --run 2026-11-21T16'],
      ['its events as JSON lines', '$0 logs --json'],
    ],
  });

  target = Option.String({ required: false });
  failed = Option.Boolean('--failed', false, { description: 'Only what failed.' });
  steps = Option.Boolean('--steps', false, { description: 'Also each step that ran.' });
  run = Option.String('--run', { description: '<id> Another run than the last: the beginning of its name is enough.' });
  runs = Option.Boolean('--runs', false, { description: 'List the runs that are on record.' });

  async execute(): Promise<number> {
    const stateDir = await this.stateDir();
    if (this.runs) await this.#list(stateDir);
    else {
      const run = findRun(stateDir, this.run);
      await readingRun(run, () => this.#show(stateDir, run));
    }
    return exitCode.ok;
  }

  async #list(stateDir: string): Promise<void> {
    for (const run of runsIn(stateDir)) {
      if (this.context.signal.aborted) return;
      const record = runRecord(stateDir, run);
      await this.printInTime(this.json ? `${JSON.stringify(record)}\n` : `${runLine(record, this.paint)}\n`);
    }
  }

  async #show(stateDir: string, run: string): Promise<void> {
    const { target } = this;
    const wanted = target === undefined ? undefined : await targetsNamed(target, eventsOf(stateDir, run));
    const linesOf = this.json ? (event: RecordedEvent) => `${JSON.stringify(event)}\n` : this.#replay();
    for await (const event of eventsOf(stateDir, run)) {
      if (this.context.signal.aborted) return;
      const text = linesOf(event);
      const isWanted = (wanted === undefined || isOfTarget(event, wanted)) && (!this.failed || isFailure(event));
      if (isWanted && text !== '') await this.printInTime(text);
    }
  }

  /** What the plain report says of each event, told all of them in turn: what it says of one follows from those before. */
  #replay(): (event: RecordedEvent) => string {
    let text = '';
    let now = 0;
    const clock = { now: () => now, every: () => () => {} };
    const output = {
      write: (more: string) => {
        text += more;
      },
    };
    const reporter = plainReporter(output, { paint: this.paint, clock, cwd: this.cwd });
    return (event) => {
      text = '';
      now = event.ms ?? now;
      reporter.emit(event);
      if (event.type === 'step-failed' && this.failed) return `${failureLines(event, this.paint)}\n`;
      return event.type === 'step-finished' && this.steps ? `${stepLine(event, this.paint)}\n` : text;
    };
  }
}
