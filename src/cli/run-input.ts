import { statSync } from 'node:fs';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { BuildError } from '../base/errors.ts';
import { isGlob } from '../source/glob.ts';
import { listSource } from '../source/list.ts';

export interface RunInput {
  /** As typed. */
  readonly input: string;
  readonly cwd: string;
  /** Folder that paths in the config are relative to. */
  readonly root: string;
  readonly recursive: boolean;
}

/** A source as a config writes it: its group, and the patterns of its files. */
export interface InputSource {
  readonly group: string;
  readonly patterns: readonly string[];
}

const extensions = ['jsonl', 'jsonl.gz', 'jsonl.zst'];
const looked = 'Looked for *.jsonl, *.jsonl.gz and *.jsonl.zst.';

/** Relative to the root as people write it; a path outside of it stays whole. */
function fromRoot(root: string, path: string): string {
  const below = relative(root, path).split(sep).join('/');
  return below.startsWith('..') || below === '' ? path : below;
}

const categoryOf = (folder: string): string => basename(folder) || 'input';

function countBelow(folder: string, depth: '*' | '**/*'): { patterns: string[]; count: number } {
  const found = extensions
    .map((extension) => `${folder}/${depth}.${extension}`)
    .map((pattern) => ({ pattern, count: listSource({ group: '', patterns: [pattern], base: folder }).paths.length }))
    .filter(({ count }) => count > 0);
  return { patterns: found.map(({ pattern }) => pattern), count: found.reduce((sum, { count }) => sum + count, 0) };
}

function noFiles(input: string, nested: number): BuildError {
  const hint = nested > 0 ? `${nested} ${nested === 1 ? 'lies' : 'lie'} in folders below it: add --recursive.` : looked;
  return new BuildError('no-jsonl', { message: `No JSONL files found in ${input}`, hint });
}

function folderSource({ input, root, recursive }: RunInput, folder: string): InputSource {
  if (isGlob(folder))
    throw new BuildError('usage', {
      message: `the folder's name has characters that are wildcards in patterns: ${folder}`,
      hint: 'Rename it, or link to it under another name.',
    });
  const { patterns, count } = countBelow(folder, recursive ? '**/*' : '*');
  if (count === 0) throw noFiles(input, recursive ? 0 : countBelow(folder, '**/*').count);
  const shown = fromRoot(root, folder);
  return { group: `${categoryOf(folder)}/*`, patterns: patterns.map((pattern) => `${shown}${pattern.slice(folder.length)}`) };
}

function fileSource({ root }: RunInput, path: string): InputSource {
  const name = basename(path).replace(/\.jsonl(\.gz|\.zst)?$/, '');
  return { group: `${categoryOf(dirname(path))}/${name}`, patterns: [fromRoot(root, path)] };
}

/**
 * The source behind `--input`: a file, or a folder in which each file becomes a group of its own.
 * @throws {BuildError} `no-input`, `no-jsonl` with a hint at `--recursive`, `usage`
 */
export function inputSource(request: RunInput): InputSource {
  const path = resolve(request.cwd, request.input);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new BuildError('no-input', { message: `there is no file or folder ${request.input}`, hint: 'Check --input.' });
  return stats.isDirectory() ? folderSource(request, path) : fileSource(request, path);
}
