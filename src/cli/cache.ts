import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { FolderCommand } from './folder-command.ts';

/** `cache` without a word behind it: which of its commands is meant can not be told. */
export class CacheCommand extends FolderCommand {
  static override paths = [['cache']];
  static operands = '<command>';
  static override usage = Command.Usage({
    description: 'What is kept of earlier builds, here and on a remote that is shared.',
    examples: [
      ['what this machine holds, for which target', '$0 cache stats'],
      ['make that smaller', '$0 cache gc --max 20GB'],
      ['what the remote holds of each target', '$0 cache ls'],
      ['send there what was built here', '$0 cache push'],
    ],
  });

  words = Option.Rest();

  execute(): Promise<number> {
    const [word] = this.words;
    const message = word === undefined ? 'cache takes the name of one of its commands' : `cache has no command "${word}"`;
    throw new BuildError('usage', { message, hint: 'dsbuild cache --help lists them.' });
  }
}
