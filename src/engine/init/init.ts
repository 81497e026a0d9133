import { existsSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { BuildError } from '../../base/errors.ts';
import { readIfThere } from '../../base/files.ts';
import { programRoot } from '../../base/program.ts';
import { adapterFor } from './adapter-text.ts';
import { configText } from './config-text.ts';
import { noteDependency } from './package-json.ts';
import { repositoryOf } from './repository.ts';
import { type ProposedSource, proposeSources } from './sources.ts';
import { tokenizerNotes } from './tokenizer.ts';
import { packageManagers, workflowText } from './workflow-text.ts';
import { Writer } from './writer.ts';

/** What `init` has to know; the command asks for it or takes its defaults. */
export interface InitAnswers {
  /** Folders and files with JSONL, relative to the project; none takes the sample documents. */
  readonly data: readonly string[];
  readonly want: 'shards' | 'text' | 'both';
  /** As `tokenize` takes it; undefined takes the small one that dsbuild brings along. */
  readonly tokenizer: string | undefined;
  readonly maxSeqLength: number;
  readonly shardSize: string;
  readonly labels: 'shifted' | 'hf';
  /** `s3://bucket/folder` of a shared cache. */
  readonly remote: string | undefined;
  readonly ci: 'github' | 'none';
}

export interface InitRequest {
  readonly cwd: string;
  readonly answers: InitAnswers;
  /** Replace a config that is there. Nothing else is ever replaced. */
  readonly force: boolean;
  /** For the dependency in package.json. */
  readonly version: string;
}

export interface InitResult {
  /** Paths from the project's folder. */
  readonly written: readonly string[];
  /** Was there, and was left as it is. */
  readonly kept: readonly string[];
  /** What the user should know of what was left as it is, and of what was not looked for. */
  readonly notes: readonly string[];
}

const configName = 'datasets.config.ts';

/** The sample documents and the small tokenizer that are shipped. */
function shippedFolder(): string {
  const found = join(programRoot, 'fixtures/sample');
  if (existsSync(found)) return found;
  throw new BuildError('bad-install', { message: 'the sample documents of dsbuild are not there', hint: 'Install dsbuild again.' });
}

const tsconfig = {
  compilerOptions: {
    target: 'es2023',
    // As the config is read: bundled, whatever the package's own type is.
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  include: ['*.ts', 'adapters', 'filters'],
};

function refuseToReplace({ cwd, force }: InitRequest): void {
  if (force || !existsSync(join(cwd, configName))) return;
  throw new BuildError('config-exists', {
    message: 'there is a config already',
    where: configName,
    hint: 'Edit it, or replace it with --force; data, .gitignore lines, tsconfig.json and package.json stay as they are.',
  });
}

const sampleData = 'data/sample.jsonl';
const sampleSource: ProposedSource = { group: 'data/sample', patterns: [sampleData], shape: { is: 'text' } };
const toyTokenizer = './tokenizer/tokenizer.json';
const toyFiles = ['tokenizer.json', 'tokenizer_config.json'];

function assertThere({ cwd, answers }: InitRequest): void {
  const missing = answers.data.find((path) => !existsSync(resolve(cwd, path)));
  if (missing === undefined) return;
  throw new BuildError('no-input', {
    message: `there is no file or folder ${missing}`,
    hint: 'Check --data, or leave it away to begin with sample documents.',
  });
}

/** Where there is no repository the workflow lies here, for the one that there will be. */
function writeWorkflow(writer: Writer, cwd: string, isRemote: boolean): void {
  const { folder, branch } = repositoryOf(cwd) ?? { folder: '', branch: 'main' };
  const packages = packageManagers.find(({ lock }) => lock === '' || existsSync(join(cwd, lock))) as (typeof packageManagers)[number];
  const toRoot = folder === '' ? '' : posix.relative(folder, '.');
  writer.write(posix.join(toRoot, '.github/workflows/datasets.yml'), workflowText({ branch, folder, packages, isRemote }));
}

/** As paths of the config are written: POSIX, from the project's folder. */
const plainPath = (path: string): string => posix.normalize(path).replace(/(.)\/+$/, '$1');

function notesOn({ cwd }: InitRequest, { sources, kept }: { sources: readonly ProposedSource[]; kept: readonly string[] }): string[] {
  const ownTsconfig = kept.includes('tsconfig.json') ? (readIfThere(join(cwd, 'tsconfig.json'))?.toString('utf8') ?? '') : undefined;
  const hasAdapters = sources.some(({ shape }) => adapterFor(shape));
  const withoutText = sources.filter(({ shape }) => shape.is === 'other').map(({ group }) => group);
  return [
    ...(hasAdapters && ownTsconfig?.includes('allowImportingTsExtensions') === false
      ? ['your tsconfig.json needs "allowImportingTsExtensions": true (and "noEmit") for the import of adapters in datasets.config.ts']
      : []),
    ...(withoutText.length > 0
      ? [`${withoutText.join(', ')}: the records have no text; the sources need an adapter before they build`]
      : []),
  ];
}

/**
 * Writes what a project begins with: the config and the adapters that its sources need, and without data of its own the sample documents;
 * the small tokenizer where none is named; lines of .gitignore, tsconfig.json if there is none, the dependency, and a workflow for CI.
 * @throws {BuildError} `config-exists`, `no-input`, `tokenizer-not-found`, `bad-tokenizer-reference`
 */
export async function init(request: InitRequest): Promise<InitResult> {
  const { cwd, answers, force } = request;
  refuseToReplace(request);
  assertThere(request);
  const tokenizerToldOf = answers.tokenizer === undefined ? [] : tokenizerNotes(answers.tokenizer, cwd);
  const { data, tokenizer, want, remote, ci } = answers;
  const writer = new Writer(cwd);
  const shipped = shippedFolder();
  if (data.length === 0) writer.copy(sampleData, join(shipped, 'sample.jsonl'));
  const isToy = tokenizer === undefined && want !== 'text';
  if (isToy) for (const name of toyFiles) writer.copy(`tokenizer/${name}`, join(shipped, 'tokenizer', name));
  const sources = data.length === 0 ? [sampleSource] : proposeSources(cwd, data.map(plainPath));
  for (const { path, text } of new Map(sources.flatMap(({ shape }) => adapterFor(shape) ?? []).map((file) => [file.path, file])).values())
    writer.write(path, text);
  writer.write(configName, configText({ ...answers, sources, isToy, tokenizer: tokenizer ?? toyTokenizer }), force);
  writer.append('.gitignore', ['node_modules/', '.dsbuild/', 'out/']);
  writer.write('tsconfig.json', `${JSON.stringify(tsconfig, null, 2)}\n`);
  noteDependency(writer, request);
  if (ci === 'github') writeWorkflow(writer, cwd, remote !== undefined);
  const notes = [...notesOn(request, { sources, kept: writer.kept }), ...tokenizerToldOf];
  return { written: writer.written, kept: writer.kept, notes };
}
