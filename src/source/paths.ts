import { resolve } from 'node:path';

/** Absolute path of a listed file. Joining is ten times cheaper than resolving, and there may be 100,000 files. */
export function pathIn(base: string, path: string): string {
  return path.startsWith('..') || path.startsWith('/') ? resolve(base, path) : `${base}/${path}`;
}
