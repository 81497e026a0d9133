import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BuildError } from '../base/errors.ts';
import { readIfThere, writeFileAtomic } from '../base/files.ts';
import { programRoot } from '../base/program.ts';
import { listSource } from '../source/list.ts';
import { configText } from './init-config.ts';

/** What `init` has to know; the command asks for it or takes its defaults. */
export interface InitAnswers {
  /** Folder or file with JSONL, relative to the project; undefined takes the sample documents. */
  readonly data: string | undefined;
  readonly want: 'shards' | 'text' | 'both';
  /** As `tokenize` takes it; undefined takes the small one that dsbuild brings along. */
  readonly tokenizer: string | undefined;
  readonly maxSeqLength: number;
  readonly labels: 'shifted' | 'hf';
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
}

/** JSONL that lies here. */
export interface FoundData {
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
}

const configName = 'datasets.config.ts';
const foldersOfOutputs = /^(out|dist|build|coverage)\//;

/** Folders directly below, or files beside, that hold JSONL; the largest first. */
export function findData(cwd: string): FoundData[] {
  const { paths } = listSource({ group: '', patterns: ['**/*.jsonl', '**/*.jsonl.gz', '**/*.jsonl.zst'], base: cwd });
  const found = new Map<string, { files: number; bytes: number }>();
  for (const path of paths) {
    if (foldersOfOutputs.test(path)) continue;
    const place = path.includes('/') ? (path.split('/')[0] as string) : path;
    const { files, bytes } = found.get(place) ?? { files: 0, bytes: 0 };
    found.set(place, { files: files + 1, bytes: bytes + (statSync(join(cwd, path), { throwIfNoEntry: false })?.size ?? 0) });
  }
  return [...found].map(([path, size]) => ({ path, ...size })).sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
}

/** The sample documents and the small tokenizer that are shipped. */
function shippedFolder(): string {
  const found = join(programRoot, 'fixtures/sample');
  if (existsSync(found)) return found;
  throw new BuildError('bad-install', { message: 'the sample documents of dsbuild are not there', hint: 'Install dsbuild again.' });
}

/** Writes files for one project, and remembers what it did. Only the config may be replaced. */
class Writer {
  readonly written: string[] = [];
  readonly kept: string[] = [];
  readonly #cwd: string;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  write(path: string, text: string, replace = false): void {
    if (!replace && existsSync(join(this.#cwd, path))) this.kept.push(path);
    else {
      writeFileAtomic(join(this.#cwd, path), text);
      this.written.push(path);
    }
  }

  copy(path: string, from: string): void {
    const to = join(this.#cwd, path);
    if (existsSync(to)) {
      this.kept.push(path);
      return;
    }
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    this.written.push(path);
  }

  /** Adds lines that are not there yet. */
  append(path: string, lines: readonly string[]): void {
    const text = readIfThere(join(this.#cwd, path))?.toString('utf8') ?? '';
    const there = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/\/$/, '')));
    const missing = lines.filter((line) => !there.has(line.replace(/\/$/, '')));
    if (missing.length === 0) {
      this.kept.push(path);
      return;
    }
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    writeFileAtomic(join(this.#cwd, path), `${text}${gap}${missing.join('\n')}\n`);
    this.written.push(path);
  }
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
  include: ['*.ts', 'filters'],
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Notes dsbuild as a development dependency, in the file's own indentation; undefined if it is noted, or the file can not be understood. */
function withDependency(text: string, version: string): string | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(manifest)) return undefined;
  const sections = [manifest['dependencies'], manifest['devDependencies'], manifest['optionalDependencies']];
  if (manifest['name'] === 'dsbuild' || sections.some((section) => isObject(section) && 'dsbuild' in section)) return undefined;
  const devDependencies = { ...(manifest['devDependencies'] as object | undefined), dsbuild: `^${version}` };
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? '  ';
  return `${JSON.stringify({ ...manifest, devDependencies }, null, indent)}\n`;
}

function noteDependency(writer: Writer, { cwd, version }: InitRequest): void {
  const text = readIfThere(join(cwd, 'package.json'))?.toString('utf8');
  const changed = text === undefined ? undefined : withDependency(text, version);
  if (changed !== undefined) writer.write('package.json', changed, true);
}

function refuseToReplace({ cwd, force }: InitRequest): void {
  if (force || !existsSync(join(cwd, configName))) return;
  throw new BuildError('config-exists', {
    message: 'there is a config already',
    where: configName,
    hint: 'Edit it, or replace it with --force; data, .gitignore lines, tsconfig.json and package.json stay as they are.',
  });
}

const sampleData = 'data/sample.jsonl';
const sampleTokenizer = ['tokenizer.json', 'tokenizer_config.json'];

/**
 * Writes what a project begins with: the config, and without data of its own the sample documents; the small tokenizer where none is
 * named; lines of .gitignore, tsconfig.json if there is none, the dependency if there is a package.json.
 * @throws {BuildError} `config-exists`, `no-input`
 */
export async function init(request: InitRequest): Promise<InitResult> {
  const { cwd, answers } = request;
  refuseToReplace(request);
  const { data = sampleData, tokenizer, want } = answers;
  if (answers.data !== undefined && !existsSync(resolve(cwd, data))) {
    throw new BuildError('no-input', {
      message: `there is no file or folder ${data}`,
      hint: 'Check --data, or leave it away to begin with sample documents.',
    });
  }
  const writer = new Writer(cwd);
  const shipped = shippedFolder();
  if (answers.data === undefined) writer.copy(sampleData, join(shipped, 'sample.jsonl'));
  const ownTokenizer = tokenizer === undefined && want !== 'text';
  if (ownTokenizer) for (const name of sampleTokenizer) writer.copy(`tokenizer/${name}`, join(shipped, 'tokenizer', name));
  const isFolder = statSync(resolve(cwd, data)).isDirectory();
  const extensions = isFolder ? extensionsIn(resolve(cwd, data)) : [];
  writer.write(configName, configText({ ...answers, data, isFolder, extensions }), request.force);
  writer.append('.gitignore', ['node_modules/', '.dsbuild/', 'out/']);
  writer.write('tsconfig.json', `${JSON.stringify(tsconfig, null, 2)}\n`);
  noteDependency(writer, request);
  return { written: writer.written, kept: writer.kept };
}

/** Extensions of the record files in a folder; plain JSONL if there are none yet. */
function extensionsIn(folder: string): string[] {
  const all = ['jsonl', 'jsonl.gz', 'jsonl.zst'];
  const found = all.filter((extension) => listSource({ group: '', patterns: [`**/*.${extension}`], base: folder }).paths.length > 0);
  return found.length > 0 ? found : ['jsonl'];
}
