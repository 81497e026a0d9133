import { join } from 'node:path';
import { Option } from 'clipanion';
import { FolderCommand } from './folder-command.ts';

/** A command that reads records of runs. It needs the folder of the config and not the config itself, which may be broken. */
export abstract class RunsCommand extends FolderCommand {
  config = Option.String('-f,--config', { description: '<file> The config, instead of the nearest datasets.config.ts.' });

  async stateDir(): Promise<string> {
    const { findConfig } = await import('../config/find.ts');
    return join(findConfig(this.cwd, this.config), '..', '.dsbuild');
  }

  /** Writes, and waits where the reader is slower than we are. */
  async printInTime(text: string): Promise<void> {
    const { stdout, signal } = this.context;
    if (stdout.write(text) || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const over = (): void => {
        stdout.off('drain', over);
        signal.removeEventListener('abort', over);
        resolve();
      };
      stdout.once('drain', over);
      signal.addEventListener('abort', over, { once: true });
    });
  }
}
