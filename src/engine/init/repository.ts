import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { readIfThere } from '../../base/files.ts';

/** The git repository that a project lies in, as far as a workflow has to know it. */
export interface Repository {
  /** POSIX path from the repository's root to the project; '' for the root itself. */
  readonly folder: string;
  readonly branch: string;
  /** Whether it is on GitHub, by its remotes or its `.github` folder. */
  readonly isOnGithub: boolean;
}

function textOf(path: string): string {
  try {
    return readIfThere(path)?.toString('utf8') ?? '';
  } catch {
    return '';
  }
}

function rootOf(cwd: string): string | undefined {
  for (let at = cwd; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Read from git's files, without running git. The branch that others are merged into is what the remote has checked out, else `main`. */
export function repositoryOf(cwd: string): Repository | undefined {
  const root = rootOf(cwd);
  if (root === undefined) return undefined;
  const git = join(root, '.git');
  const [, branch] = /refs\/remotes\/origin\/(\S+)/.exec(textOf(join(git, 'refs/remotes/origin/HEAD'))) ?? [];
  const isOnGithub = existsSync(join(root, '.github')) || /^\s*url\s*=.*\bgithub\.com\b/m.test(textOf(join(git, 'config')));
  return { folder: relative(root, cwd).split(sep).join('/'), branch: branch ?? 'main', isOnGithub };
}
