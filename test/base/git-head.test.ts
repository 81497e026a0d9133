import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { gitBranch, gitHead } from '../../src/base/git-head.ts';

const test = suite('the commit that is checked out');

const root = mkdtempSync(join(tmpdir(), 'dsbuild-git-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd, encoding: 'utf8', stdio: 'pipe' }).trim();

const headOf = (cwd: string): string => git(cwd, 'rev-parse', 'HEAD');

test('it is what git says: on a branch, below the root, detached, packed, and in a linked work tree', () => {
  const folder = join(root, 'a');
  mkdirSync(join(folder, 'below', 'it'), { recursive: true });
  git(folder, 'init', '-q');
  assert.is(gitHead(folder), undefined, 'no commit yet');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'one');
  assert.is(gitHead(folder), headOf(folder));
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'two');
  assert.is(gitHead(join(folder, 'below', 'it')), headOf(folder));
  git(folder, 'pack-refs', '--all');
  assert.is(gitHead(folder), headOf(folder));
  const linked = join(root, 'linked');
  git(folder, 'worktree', 'add', '-q', '-b', 'other', linked);
  git(linked, 'commit', '-q', '--allow-empty', '-m', 'three');
  assert.is(gitHead(linked), headOf(linked));
  assert.is.not(gitHead(linked), gitHead(folder));
  git(folder, 'checkout', '-q', '--detach', 'HEAD~1');
  assert.is(gitHead(folder), headOf(folder));
});

test('the branch is what is checked out, and none where a commit is', () => {
  const folder = join(root, 'c');
  mkdirSync(folder);
  git(folder, 'init', '-q', '--initial-branch', 'feature/a');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'one');
  assert.is(gitBranch(folder), 'feature/a');
  git(folder, 'checkout', '-q', '--detach');
  assert.is(gitBranch(folder), undefined);
  assert.is(gitBranch(root), undefined);
});

test('where there is no repository there is none', () => {
  const folder = join(root, 'b');
  mkdirSync(folder);
  assert.is(gitHead(folder), undefined);
});

test.run();
