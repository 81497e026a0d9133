import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { Profile } from '../report/profile.ts';
import { eventsOf, findRun, readingRun } from '../report/recorded.ts';
import { exitCode } from './exit-codes.ts';
import { fileToWrite } from './given-paths.ts';
import { RunsCommand } from './runs-command.ts';

const batchChars = 64 * 1024;

/** The file as one JSON object, an event a line. */
function* pieces(profile: Profile): Generator<string> {
  let text = '{"displayTimeUnit":"ms","traceEvents":[\n';
  let separator = '';
  for (const event of profile.events()) {
    text += separator + JSON.stringify(event);
    separator = ',\n';
    if (text.length < batchChars) continue;
    yield text;
    text = '';
  }
  yield `${text}\n]}\n`;
}

export class ProfileCommand extends RunsCommand {
  static override paths = [['profile']];
  static operands = '[run]';
  static override usage = Command.Usage({
    description: 'Write how a run went as a Chrome trace, to be looked at in ui.perfetto.dev or chrome://tracing.',
    details:
      'Steps with their target, bytes and counters, in as many lanes as ran at once; scans of sources and publishing; targets as spans with why ' +
      'they were built and what they came to. Runs of this machine are on record in .dsbuild/runs; nothing is sent anywhere.',
    examples: [
      ['the last run', '$0 profile --output trace.json'],
      ['an earlier one, by the beginning of its name (see logs --runs)', '$0 profile 2026-11-21T16 > trace.json'],
    ],
  });

  run = Option.String({ required: false });
  output = Option.String('-o,--output', { description: '<file> Write it here instead of on standard output.' });

  async execute(): Promise<number> {
    const output = this.output === undefined ? undefined : fileToWrite('--output', resolve(this.cwd, this.output));
    const stateDir = await this.stateDir();
    const run = findRun(stateDir, this.run);
    const profile = new Profile();
    await readingRun(run, async () => {
      for await (const event of eventsOf(stateDir, run)) profile.take(event);
    });
    if (!profile.hasTimes) {
      throw new BuildError('no-times', {
        message: `the record of ${run} has no times: an earlier version of dsbuild wrote it`,
        hint: 'Build again.',
      });
    }
    if (output === undefined) await this.#print(profile);
    else await this.#write(profile, output);
    return exitCode.ok;
  }

  async #print(profile: Profile): Promise<void> {
    for (const piece of pieces(profile)) {
      if (this.context.signal.aborted) return;
      await this.printInTime(piece);
    }
  }

  async #write(profile: Profile, path: string): Promise<void> {
    await pipeline(Readable.from(pieces(profile)), createWriteStream(path));
    if (this.json) this.printJson({ output: path });
    else this.print(`${path}: open it in ui.perfetto.dev or chrome://tracing`);
  }
}
