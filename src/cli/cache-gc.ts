import { Command, Option } from 'clipanion';
import { formatBytes, parseSize } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { gcLines } from './show-cache.ts';

/** `20GB`, and `0` for as little as can be. */
function sizeOf(text: string): number {
  const bytes = text === '0' ? 0 : parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new BuildError('usage', { message: `--max takes a size, but got "${text}"`, hint: 'For example --max 20GB.' });
}

export class CacheGcCommand extends ProjectCommand {
  static override paths = [['cache', 'gc']];
  static override usage = Command.Usage({
    description: 'Collect what builds have not used for longest, until the cache is within its size.',
    details:
      'Results stay, so what is needed again is made again, step by step. Published files, downloads and what a running build uses are never touched.',
    examples: [
      ['down to `cache.sizeMax`, or to half of the disk that is free', '$0 cache gc'],
      ['down to 20 GB', '$0 cache gc --max 20GB'],
      ['what would go', '$0 cache gc --max 20GB -n'],
    ],
  });

  max = Option.String('--max', { description: `<size> Collect down to this, such as ${formatBytes(20e9).replace('.0 ', '')}.` });
  dryRun = Option.Boolean('-n,--dry-run', false, { description: 'Only say what would go.' });

  async execute(): Promise<number> {
    const maxBytes = this.max === undefined ? undefined : sizeOf(this.max);
    return this.withProject(async (project) => {
      const report = await this.context.engine.collectGarbage(project, {
        dryRun: this.dryRun,
        ...(maxBytes !== undefined && { maxBytes }),
      });
      if (this.json) this.printJson(report);
      else this.print(gcLines(report, this.paint).join('\n'));
      return exitCode.ok;
    });
  }
}
