import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';
import { statsLines } from './show-cache.ts';
import { scopeLines } from './show-remote.ts';

export class CacheStatsCommand extends ProjectCommand {
  static override paths = [['cache', 'stats']];
  static override usage = Command.Usage({
    description: 'Say what the cache holds, by target and by what it is, and how large it may grow.',
    examples: [
      ['the cache of this project', '$0 cache stats'],
      ['the same for programs', '$0 cache stats --json'],
      ['and what lies on the remote that is shared', '$0 cache stats --remote'],
      ['make it smaller', '$0 cache gc --max 20GB'],
    ],
  });

  remote = Option.Boolean('--remote', false, { description: 'Ask the remote cache as well.' });

  async execute(): Promise<number> {
    return this.withProject(async (project) => {
      const stats = await this.context.engine.cacheStats(project);
      const remote = this.remote ? await this.context.engine.remoteUsage(project) : undefined;
      if (this.json) this.printJson({ ...stats, ...(remote && { remote }) });
      else this.print([...statsLines(stats, this.paint), ...(remote ? ['', ...scopeLines(remote)] : [])].join('\n'));
      return exitCode.ok;
    });
  }
}
