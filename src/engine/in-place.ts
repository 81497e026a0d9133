import { relative, sep } from 'node:path';
import { isRemote } from '../base/address.ts';
import { byCodeUnit } from '../base/names.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { BuildRun } from './build-run.ts';
import type { ResolvedOptions } from './resolve-options.ts';

/**
 * Tells the target that publishes another's documents which of its files are sources themselves: people keep their own data inside `out`,
 * and it is neither written nor copied. To be called when the sources were scanned.
 */
export function withFilesInPlace(options: ResolvedOptions, { filesOf, out }: GraphTarget, run: BuildRun): ResolvedOptions {
  const sources = filesOf === undefined ? undefined : run.locals.get(filesOf);
  if (!sources || out === undefined || isRemote(out) || run.options.sample !== undefined) return options;
  const inPlace = sources
    .paths()
    .map((path) => relative(out, path).split(sep).join('/'))
    .filter((path) => !path.startsWith('../'))
    .sort(byCodeUnit);
  return { seen: { ...options.seen, inPlace }, manifest: { ...options.manifest, inPlace } };
}
