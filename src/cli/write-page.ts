import { closeSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { fileToWrite } from './given-paths.ts';
import { pageHead } from './stats-page.ts';

export interface PageRequest {
  readonly cwd: string;
  readonly targets: readonly string[];
  readonly overwrite: boolean;
}

const nameOf = (targets: readonly string[]): string => {
  const [only] = targets;
  return only !== undefined && targets.length === 1 ? `${only.replace(/[^\w.-]+/g, '-')}-stats.html` : 'stats.html';
};

/**
 * Where a page is to be written; asked before anything is counted.
 *
 * @param given as on the command line, `true` for the default name.
 * @throws {BuildError} `file-exists` where something else lies than a page of this kind; `usage` where there is no folder for it.
 */
export function placeOfPage(given: string | true, { cwd, targets, overwrite }: PageRequest): string {
  const path = resolve(cwd, given === true || given === '' ? nameOf(targets) : given);
  fileToWrite('--html', path);
  if (overwrite || isOurs(path)) return path;
  throw new BuildError('file-exists', {
    message: 'there is a file already, and it is no page of dsbuild stats',
    where: path,
    hint: 'Give another name, or --overwrite to replace it.',
  });
}

/** A page that we wrote begins with our head; nothing at all is nobody's. */
function isOurs(path: string): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(pageHead.length);
      return readSync(file, bytes) === bytes.length && bytes.toString('latin1') === pageHead;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

export const writePage = (path: string, page: string): void => writeFileAtomic(path, page);
