import { relative, sep } from 'node:path';
import type { Quarantined } from '../cache/results.ts';
import type { BuildRun } from './build-run.ts';

/** A path as it is shown: below the project, with slashes. */
export const shownPath = (root: string, path: string): string => {
  const below = relative(root, path).split(sep).join('/');
  return below.startsWith('..') ? path : below;
};

/** `data/a.jsonl:17` for a bad record: steps know only "record n of part m"; files and lines are looked up when something is shown. */
export function placeOf(bad: Quarantined | undefined, run: BuildRun): string | undefined {
  if (!bad) return undefined;
  for (const local of run.locals.values()) {
    const chunk = local.indexOf(bad.part);
    if (chunk === undefined) continue;
    const { path, line } = local.lines(chunk, bad.record);
    return `${shownPath(run.project.root, path)}:${line}`;
  }
  const packed = run.packedFiles.get(bad.part);
  return packed === undefined ? undefined : `${shownPath(run.project.root, packed)}:${bad.record + 1}`;
}
