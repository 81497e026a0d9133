import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { GraphTarget } from '../graph/graph.ts';
import { isGlob, parseGlob } from '../source/glob.ts';
import type { SourceSpec } from '../source/list.ts';
import type { LocalSources } from '../source/local.ts';
import type { BuildRun } from './build-run.ts';

const folderOf = (pattern: string): string => (isGlob(pattern) ? parseGlob(pattern).folder : pattern);
const isThere = ({ base, patterns }: SourceSpec): boolean => patterns.some((pattern) => existsSync(resolve(base, folderOf(pattern))));

/** A folder that is there for files to come, each a group of its own, may be empty. */
const mayBeEmpty = (spec: SourceSpec): boolean => spec.group.includes('*') && isThere(spec);

/** Whether a source begins in this folder: what lies there is not passed over, then. */
const isNamed = (folder: string, specs: readonly SourceSpec[]): boolean =>
  specs.some(({ patterns }) => patterns.some((pattern) => `${folderOf(pattern)}/`.replace(/^(\.\/)+/, '').startsWith(`${folder}/`)));

/** Warns of what a typing error or a link leaves out of a dataset that is otherwise built: what was published of it goes without a word. */
export function warnOfPassedOver(
  specs: readonly SourceSpec[],
  local: LocalSources,
  { target, run }: { target: GraphTarget; run: BuildRun },
): void {
  const place = { target: target.name, where: target.where };
  for (const [i, spec] of specs.entries()) {
    const { group, patterns } = spec;
    if (local.filesOf[i] === 0 && !mayBeEmpty(spec)) {
      const folder = isThere(spec) ? '' : `; there is no folder ${folderOf(patterns[0] ?? '')}`;
      run.warn({
        ...place,
        code: 'empty-source',
        message: `source "${group}" is empty: ${patterns.join(', ')} ${patterns.length === 1 ? 'matches' : 'match'} no file${folder}`,
        hint: 'Check the path, or take the source out of the config.',
      });
    }
    for (const folder of (local.linkedFolders[i] ?? []).filter((path) => !isNamed(path, specs))) {
      run.warn({
        ...place,
        code: 'link-passed-over',
        message: `source "${group}": ${folder} is a link to a folder, and a pattern enters none`,
        hint: `Name it as well if its files belong to the source: '${folder}/**/*.jsonl'.`,
      });
    }
  }
}
