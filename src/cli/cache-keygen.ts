import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';
import { fileToWrite } from './given-paths.ts';

export class CacheKeygenCommand extends FolderCommand {
  static override paths = [['cache', 'keygen']];
  static operands = '[file]';
  static override usage = Command.Usage({
    description: 'Make a pair of keys to sign the remote cache with. The secret one goes into a file, the public one is shown.',
    examples: [
      ['into dsbuild-signing.key', '$0 cache keygen'],
      ['into another file', '$0 cache keygen ~/keys/datasets.key'],
    ],
  });

  file = Option.String({ required: false });

  async execute(): Promise<number> {
    const path = fileToWrite('dsbuild cache keygen', resolve(this.cwd, this.file ?? 'dsbuild-signing.key'));
    const publicKey = await this.context.engine.newSigningKey(path);
    if (this.json) this.printJson({ publicKey, file: path });
    else this.print([publicKey, '', ...whatToDo(publicKey, path)].join('\n'));
    return exitCode.ok;
  }
}

const whatToDo = (publicKey: string, path: string): string[] => [
  `The secret key is in ${path}: keep it out of git.`,
  'Where builds of main run, put its line into the environment as DSBUILD_SIGNING_KEY, and write into the config:',
  `  cache: { signing: { key: secret('DSBUILD_SIGNING_KEY'), accept: ['${publicKey}'] } }`,
];
