import { join } from 'node:path';
import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { byCodeUnit, didYouMean } from '../base/names.ts';
import { completionScripts } from './completion-scripts.ts';
import type { CliContext } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';

const shells = Object.keys(completionScripts);

export class CompletionCommand extends Command<CliContext> {
  static override paths = [['completion']];
  static operands = `<${shells.join('|')}>`;
  static override usage = Command.Usage({
    description: 'Print a script with which a shell completes commands, options and names of targets.',
    examples: [
      ['for bash, in ~/.bashrc', 'source <($0 completion bash)'],
      ['for zsh, in ~/.zshrc', 'source <($0 completion zsh)'],
      ['for fish', '$0 completion fish | source'],
    ],
  });

  shell = Option.String();

  async execute(): Promise<number> {
    if (!Object.hasOwn(completionScripts, this.shell)) {
      throw new BuildError('usage', {
        message: `there is no completion for "${this.shell}".${didYouMean(this.shell, shells)}`,
        hint: `Shells: ${shells.join(', ')}.`,
      });
    }
    this.context.stdout.write(completionScripts[this.shell as keyof typeof completionScripts]);
    return exitCode.ok;
  }
}

/** Commands that take names of targets. */
const takesTargets: ReadonlySet<string> = new Set(['build', 'status', 'ls', 'list', 'why', 'head', 'trace', 'graph', 'update']);

/** What the scripts ask; no people see it. */
export class CompletionWordsCommand extends FolderCommand {
  static override paths = [['completion', '--words']];

  typed = Option.Proxy();

  async execute(): Promise<number> {
    const typed = this.typed[0] === '--' ? this.typed.slice(1) : this.typed;
    const [last = ''] = typed.slice(-1);
    const words = (await this.#words(typed.slice(0, -1), last)).filter((word) => word.startsWith(last));
    this.print(words.sort(byCodeUnit).join('\n'));
    return exitCode.ok;
  }

  async #words(before: readonly string[], last: string): Promise<string[]> {
    const { commands } = this.context;
    const word = before.find((one) => !one.startsWith('-')) ?? '';
    const named = commands.find(({ path }) => path[0] === word);
    const command = named ?? commands.find(({ path }) => path[0] === 'build');
    if (last.startsWith('-')) return [...(command?.flags ?? []).flatMap(({ names }) => names), '--help'];
    if (word === 'completion') return shells;
    const targets = named === undefined || takesTargets.has(word) ? await targetNames(this) : [];
    return word === '' ? [...commands.flatMap(({ path }) => path[0] ?? []), ...targets] : targets;
  }
}

/** Names that the config gives. Completion says nothing of mistakes: then there are none. */
async function targetNames(command: FolderCommand): Promise<string[]> {
  try {
    const [{ findConfig }, { loadConfig }, { namedTargets }, { faceUrl }] = await Promise.all([
      import('../config/find.ts'),
      import('../config/load.ts'),
      import('../graph/walk.ts'),
      import('../engine/project.ts'),
    ]);
    const file = findConfig(command.cwd);
    const { config, where } = await loadConfig({
      file,
      stateDir: join(file, '..', '.dsbuild'),
      faceUrl,
      params: {},
      env: command.context.env,
    });
    return namedTargets(config.targets, where).named.map(({ name }) => name);
  } catch {
    return [];
  }
}
