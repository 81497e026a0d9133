import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BuildError } from '../base/errors.ts';

/**
 * A folder that a flag names.
 * @throws {BuildError} `usage` if there is no folder: what stands above it is never taken in its place.
 */
export function folderGiven(flag: string, path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return path;
  throw new BuildError('usage', {
    message: found === undefined ? `there is no folder ${path}` : `${path} is a file, not a folder`,
    hint: `${flag} takes a folder that is there. A config elsewhere is named with --config <file>.`,
  });
}

/**
 * A file that a command is to write, checked before anything is worked out.
 * @throws {BuildError} `usage`
 */
export function fileToWrite(flag: string, path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new BuildError('usage', { message: `${path} is a folder`, hint: `${flag} takes the name of a file in it.` });
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new BuildError('usage', {
    message: `there is no folder ${folder}`,
    hint: `Make it, or give ${flag} a file in a folder that is there.`,
  });
}
