import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BuildError } from '../base/errors.ts';

/** In the order in which they win within a folder. */
const configNames = ['datasets.config.ts', 'datasets.config.mts', 'datasets.config.js', 'datasets.config.mjs'];

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false });
const isFile = (path: string): boolean => statOf(path)?.isFile() ?? false;

function* foldersUp(from: string): Generator<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

/**
 * Absolute path of the config: `file` if it is given, else the nearest `datasets.config.*` in `cwd` or a folder above it.
 * @throws {BuildError} `no-config`
 */
export function findConfig(cwd: string, file?: string): string {
  if (file !== undefined) {
    const path = resolve(cwd, file);
    const found = statOf(path);
    if (found?.isFile()) return path;
    throw new BuildError('no-config', {
      message: found === undefined ? `there is no config at ${path}` : `${path} is no file`,
      hint: found?.isDirectory()
        ? 'To work with the config in this folder, give -C instead of --config.'
        : 'Check --config, or leave it away to search from here upward.',
    });
  }
  for (const folder of foldersUp(resolve(cwd))) {
    const found = configNames.map((name) => join(folder, name)).find(isFile);
    if (found) return found;
  }
  throw new BuildError('no-config', {
    message: `there is no ${configNames[0]} in ${resolve(cwd)} or in a folder above it`,
    hint: 'Run `dsbuild init` to write one, or name it with --config.',
  });
}
