import { Command, Option } from 'clipanion';
import { forPeople } from '../report/printed.ts';
import { exitCode } from './exit-codes.ts';
import { ReadingCommand } from './reading-command.ts';
import { TraceLines } from './show-trace.ts';

export class TraceCommand extends ReadingCommand {
  static override paths = [['trace']];
  static operands = '<target>:<row> | <file>:<row or line>';
  static override usage = Command.Usage({
    description: 'Say which source lines a training row was made of, or which rows hold a source line and where it was left out.',
    details:
      'Rows of targets and of published files are counted from 0, as readers of Parquet count; lines of sources from 1, as editors do. ' +
      'The answer is about what was last built; a note says where files or config have changed since.',
    examples: [
      ['sequence 17 of all shards, in their order', '$0 trace shards:17'],
      ['row 17 of one published file', '$0 trace out/shards/docs/shard_0001.parquet:17'],
      ['what became of line 41', '$0 trace data/docs/howto.jsonl:41'],
      ['a line of a compressed or fetched file, as it unwraps', '$0 trace https://example.com/forum.jsonl.zst:3'],
      ['a dropped document', '$0 trace clean.rejected:0'],
      ['one JSON object for each piece', '$0 trace shards:17 --json'],
    ],
  });

  place = Option.String();

  async execute(): Promise<number> {
    return this.reading(async (project) => {
      const lines = new TraceLines(this.paint);
      for await (const item of this.context.engine.trace(project, this.place, { cwd: this.cwd, use: this.use })) {
        if (this.context.signal.aborted) break;
        if (this.json) this.printJson(item);
        else for (const line of lines.of(forPeople(item))) this.print(line);
      }
      return exitCode.ok;
    });
  }
}
