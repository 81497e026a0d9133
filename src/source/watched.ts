import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isGlob, parseGlob } from './glob.ts';
import { foldersNeverEntered, type SourceSpec } from './list.ts';

/** The files that patterns of sources can name, whether they are there or not. */
export interface PatternFiles {
  /** Folders in which such files lie; of one that is not there, the nearest above it that is. */
  readonly folders: readonly string[];
  includes(path: string): boolean;
  /** Whether such files can lie in or below the folder. */
  enters(folder: string): boolean;
}

/** POSIX path below a folder; undefined when it lies elsewhere. */
function below(folder: string, path: string): string | undefined {
  const rest = relative(folder, path).split(sep).join('/');
  return rest === '..' || rest.startsWith('../') || rest.startsWith('/') ? undefined : rest;
}

function nearestThere(folder: string): string {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  return there;
}

function ofPath(path: string): PatternFiles {
  const folder = dirname(path);
  return {
    folders: [nearestThere(folder)],
    includes: (other) => other === path,
    enters: (other) => below(other, folder) !== undefined,
  };
}

function ofGlob(pattern: string, base: string): PatternFiles {
  const glob = parseGlob(pattern);
  const root = resolve(base, glob.folder);
  const foldersOf = (path: string): string[] => path.split('/').filter((name) => name !== '');
  const canEnter = (names: readonly string[]): boolean =>
    names.every((name, depth) => !foldersNeverEntered.has(name) && glob.enters(name, depth));
  return {
    folders: [nearestThere(root)],
    includes: (path) => {
      const rest = below(root, path);
      return rest !== undefined && rest !== '' && glob.matches(rest) && canEnter(foldersOf(rest).slice(0, -1));
    },
    enters: (folder) => {
      if (below(folder, root) !== undefined) return true;
      const rest = below(root, folder);
      return rest !== undefined && canEnter(foldersOf(rest));
    },
  };
}

/** What `listSource` would find, and could find later, as something to be watched. */
export function patternFiles(specs: readonly Pick<SourceSpec, 'patterns' | 'base'>[]): PatternFiles {
  const all = specs.flatMap(({ patterns, base }) =>
    patterns.map((pattern) => (isGlob(pattern) ? ofGlob(pattern, base) : ofPath(join(resolve(base, pattern))))),
  );
  return {
    folders: [...new Set(all.flatMap(({ folders }) => folders))],
    includes: (path) => all.some((one) => one.includes(path)),
    enters: (folder) => all.some((one) => one.enters(folder)),
  };
}
