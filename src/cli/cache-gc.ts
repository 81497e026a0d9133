import { Command, Option } from 'clipanion';
import { formatBytes, parseSize } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { gcLines, remoteGcLines } from './show-cache.ts';

/** `20GB`, and `0` for as little as can be. */
function sizeOf(text: string): number {
  const bytes = text === '0' ? 0 : parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new BuildError('usage', { message: `--max takes a size, but got "${text}"`, hint: 'For example --max 20GB.' });
}

const unitsMs = { h: 60 * 60 * 1000, d: 24 * 60 * 60 * 1000 } as const;

/** `30d`, `12h`. */
function ageOf(text: string): number {
  const [, count, unit] = /^(\d+)(h|d)$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * unitsMs[unit as keyof typeof unitsMs];
  throw new BuildError('usage', { message: `--older-than takes an age, but got "${text}"`, hint: 'For example --older-than 30d, or 12h.' });
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
      ['what nobody needed for a month, on the remote', '$0 cache gc --remote --older-than 30d'],
    ],
  });

  max = Option.String('--max', { description: `<size> Collect down to this, such as ${formatBytes(20e9).replace('.0 ', '')}.` });
  dryRun = Option.Boolean('-n,--dry-run', false, { description: 'Only say what would go.' });

  remote = Option.Boolean('--remote', false, { description: 'Collect in the remote cache that is shared, instead of here.' });
  olderThan = Option.String('--older-than', {
    description: '<age> On the remote: what the config does not need goes at this age, such as 30d (the default) or 12h.',
  });

  async execute(): Promise<number> {
    return this.remote ? this.#collectRemote() : this.#collect();
  }

  async #collectRemote(): Promise<number> {
    if (this.max !== undefined)
      throw new BuildError('usage', { message: '--max is a size of this machine', hint: 'On the remote age counts: --older-than 30d.' });
    const olderThanMs = ageOf(this.olderThan ?? '30d');
    return this.withProject(async (project) => {
      const report = await this.context.engine.collectRemote(project, { dryRun: this.dryRun, olderThanMs });
      if (this.json) this.printJson(report);
      else this.print(remoteGcLines(report, this.paint).join('\n'));
      return exitCode.ok;
    });
  }

  async #collect(): Promise<number> {
    if (this.olderThan !== undefined)
      throw new BuildError('usage', {
        message: '--older-than is for --remote',
        hint: 'Here the least recently used goes first: --max 20GB.',
      });
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
