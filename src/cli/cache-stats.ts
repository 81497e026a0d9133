import { Command } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { statsLines } from './show-cache.ts';

export class CacheStatsCommand extends ProjectCommand {
  static override paths = [['cache', 'stats']];
  static override usage = Command.Usage({
    description: 'Say what the cache holds, by target and by what it is, and how large it may grow.',
    examples: [
      ['the cache of this project', '$0 cache stats'],
      ['the same for programs', '$0 cache stats --json'],
      ['make it smaller', '$0 cache gc --max 20GB'],
    ],
  });

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const stats = await this.context.engine.cacheStats(project);
      if (this.json) this.printJson(stats);
      else this.print(statsLines(stats, this.paint).join('\n'));
      return exitCode.ok;
    });
  }
}
