/** What benches fetch once and keep outside the checkout: corpora, tokenizers, peers with their own Python. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const cacheFolder =
  process.env['DSBUILD_BENCH_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dsbuild-bench');

/** `../shared/<name>` beside the checkout. */
export const shared = (name: string): string => fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));

/** The cached `<name>`, made by `make` in a new folder when it is not there; what failed leaves nothing. */
export function cached(name: string, make: (folder: string) => void): string {
  const path = join(cacheFolder, name);
  if (existsSync(path)) return path;
  mkdirSync(cacheFolder, { recursive: true });
  const making = mkdtempSync(join(cacheFolder, 'making-'));
  try {
    make(making);
    renameSync(making, path);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return path;
}

/** Standard output is the table's: what a program says goes to standard error. */
export function runQuietly(command: string, args: readonly string[], cwd?: string): void {
  execFileSync(command, args, { stdio: ['ignore', 2, 2], ...(cwd && { cwd }) });
}

/** The folder of an npm package's files, by its exact version. */
export function packageFolder(name: string, version: string): string {
  const folder = cached(`${name.replace('/', '+')}@${version}`, (making) => {
    runQuietly('npm', ['pack', '--silent', `${name}@${version}`], making);
    runQuietly('sh', ['-c', 'tar xzf ./*.tgz'], making);
  });
  return join(folder, 'package');
}

/** A copy that may be written to: the peers' set-up leaves files in its own folder. */
export function copyOf(name: string, making: string): void {
  const from = shared(name);
  if (!existsSync(from)) throw new Error(`../shared/${name} is not beside this checkout`);
  cpSync(from, making, { recursive: true });
  runQuietly('chmod', ['-R', 'u+w', making]);
}
