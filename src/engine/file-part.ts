import type { Digest } from '../base/digest.ts';
import { BuildError, messageOf } from '../base/errors.ts';
import { readFile } from '../base/files.ts';
import type { Part } from '../rule/part.ts';
import type { BuildRun } from './build-run.ts';

/** Copies a file into the store, so that nothing that happens to it later can reach a step. */
export function filePart(run: BuildRun, path: string): Part {
  try {
    const bytes = readFile(path);
    const digest = run.project.store.put(bytes);
    run.givenFiles.set(digest, path);
    return { digest, form: 'file', bytes: bytes.length, facts: {}, group: '' };
  } catch (cause) {
    throw new BuildError('no-file', { message: `the file can not be read: ${messageOf(cause)}`, where: path, cause });
  }
}

/** Copies a file once more whose bytes were collected meanwhile. False when it is none that an option names, or holds something else now. */
export function givenAgain(run: BuildRun, digest: Digest): boolean {
  const path = run.givenFiles.get(digest);
  return path !== undefined && filePart(run, path).digest === digest;
}
