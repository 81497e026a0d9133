import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../base/files.ts';
import { difference, type WantedNow } from '../publish/difference.ts';
import type { BuildRun } from './build-run.ts';

const shownMax = 5;

interface Manifest {
  splits?: Record<string, { path: string; shards: number; sequences: number }>;
}

/** What is wrong in a published folder: files that are missing or changed, or that were published for something else than is wanted now. */
export function folderProblems(run: BuildRun, out: string, now: WantedNow): string[] {
  const folder = run.published.get(out);
  const changed = folder.changed().map((i) => folder.file(i).name);
  const problems = changed
    .slice(0, shownMax)
    .map((name) => `${join(out, name)} ${existsSync(join(out, name)) ? 'is not as it was published' : 'is missing'}`);
  if (changed.length > shownMax) problems.push(`and ${changed.length - shownMax} more files of ${out}`);
  const other = difference({ wanted: folder.wanted, files: folder.files() }, now);
  if (other !== undefined) problems.push(folder.count === 0 ? `nothing is published in ${out} yet` : `${out} ${other}`);
  return problems;
}

/** What makes "training can't find data". */
export function manifestProblems(run: BuildRun, out: string): string[] {
  const path = join(out, 'manifest.json');
  const text = readIfThere(path)?.toString('utf8');
  if (text === undefined) return [`${path} is missing: trainers look for it`];
  const { splits = {} } = JSON.parse(text) as Manifest;
  const problems = Object.values(splits)
    .filter((split) => split.shards > 0 && !existsSync(join(run.project.root, split.path)))
    .map((split) => `${path} names ${split.path}, which is not there`);
  if (!Object.values(splits).some((split) => split.sequences > 0))
    problems.push(`${path} has no split with sequences: training would find no data`);
  return problems;
}
