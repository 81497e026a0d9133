import { readFileSync } from 'node:fs';
import { BuildError } from '../base/errors.ts';
import type { Part } from '../rule/part.ts';
import type { BuildRun } from './build-run.ts';

/** Copies a file into the store, so that nothing that happens to it later can reach a step. */
export function filePart(run: BuildRun, path: string): Part {
  try {
    const bytes = readFileSync(path);
    return { digest: run.project.store.put(bytes), form: 'file', bytes: bytes.length, facts: {}, group: '' };
  } catch (cause) {
    throw new BuildError('no-file', { message: `the file can not be read: ${(cause as Error).message}`, where: path, cause });
  }
}
