import { dirname, join, resolve } from 'node:path';
import { readIfThere } from './files.ts';

const textOf = (path: string): string | undefined => readIfThere(path)?.toString('utf8').trim();

/** The repository's own folder, for a folder within its work tree; `.git` is a file in linked work trees and submodules. */
function gitDirOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, '.git');
    const link = textIfFile(path);
    if (link !== undefined) return resolve(at, link.replace(/^gitdir: /, ''));
    if (textOfHead(path) !== undefined) return path;
    if (dirname(at) === at) return undefined;
  }
}

const textOfHead = (gitDir: string): string | undefined => textOf(join(gitDir, 'HEAD'));

/** Undefined for a folder, too. */
function textIfFile(path: string): string | undefined {
  try {
    return textOf(path);
  } catch {
    return undefined;
  }
}

const isCommit = (text: string | undefined): boolean => /^[0-9a-f]{40,64}$/.test(text ?? '');

/** The branch that is checked out where a folder lies; undefined where there is no repository, or none of its branches is. */
export function gitBranch(folder: string): string | undefined {
  try {
    const gitDir = gitDirOf(folder);
    return gitDir && /^ref: refs\/heads\/(.+)$/.exec(textOfHead(gitDir) ?? '')?.[1];
  } catch {
    return undefined;
  }
}

/**
 * The commit that is checked out where a folder lies, read from git's files without running git; undefined where there is no repository, or
 * no commit yet. What is changed and not committed does not show.
 * Source: gitrepository-layout(5)
 */
export function gitHead(folder: string): string | undefined {
  try {
    const gitDir = gitDirOf(folder);
    const head = gitDir && textOfHead(gitDir);
    if (gitDir === undefined || head === undefined) return undefined;
    if (isCommit(head)) return head;
    const name = head.replace(/^ref: /, '');
    const common = resolve(gitDir, textOf(join(gitDir, 'commondir')) ?? '.');
    const packed = textOf(join(common, 'packed-refs'))
      ?.split('\n')
      .find((line) => line.endsWith(` ${name}`));
    return [textOf(join(gitDir, name)), textOf(join(common, name)), packed?.split(' ')[0]].find(isCommit);
  } catch {
    return undefined;
  }
}
