import { createRequire } from 'node:module';
import type Picomatch from 'picomatch';

/** CommonJS: by an import Node would read it twice, once to find its names. */
const picomatch = createRequire(import.meta.url)('picomatch') as typeof Picomatch;

/** A pattern of `** * ? {a,b}`: the folder it begins in, and what its files' paths below that look like. */
export interface Glob {
  /** POSIX, relative to the source's base folder, or absolute; '' for the base folder itself. */
  readonly folder: string;
  /** Its files lie directly in `folder`. */
  readonly isFlat: boolean;
  matches(pathBelow: string): boolean;
  /** Whether files below this folder can match; `depth` 0 is a folder directly in `folder`. */
  enters(name: string, depth: number): boolean;
}

const wild = /[*?{]/;
/** What picomatch would read as syntax, though dsbuild does not. */
const literal = /[\\()[\]!+@|^$]/g;

export const isGlob = (pattern: string): boolean => wild.test(pattern);

/** Splits at slashes outside braces. */
function segmentsOf(pattern: string): string[] {
  const segments = [''];
  let depth = 0;
  for (const character of pattern) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === '/' && depth <= 0) segments.push('');
    else segments[segments.length - 1] += character;
  }
  return segments;
}

function matcher(pattern: string): (path: string) => boolean {
  const expression = picomatch.makeRe(pattern.replace(literal, '\\$&'), { nonegate: true, noextglob: true });
  return (path) => expression.test(path);
}

/** @param pattern POSIX slashes; names that begin with a dot match only where the pattern writes the dot. */
export function parseGlob(pattern: string): Glob {
  const segments = segmentsOf(pattern.replace(/^(\.\/)+/, ''));
  const first = segments.findIndex(isGlob);
  const below = segments.slice(first);
  const endless = below.findIndex((segment) => segment.includes('**') || segment.includes('/'));
  const folders = below.slice(0, endless < 0 ? below.length - 1 : endless).map(matcher);
  const folder = segments.slice(0, first).join('/');
  return {
    folder: folder === '' && first > 0 ? '/' : folder,
    isFlat: endless < 0 && folders.length === 0,
    matches: matcher(below.join('/')),
    enters: (name, depth) => folders[depth]?.(name) ?? endless >= 0,
  };
}
