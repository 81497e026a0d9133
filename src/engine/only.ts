import { isRemote } from '../base/address.ts';
import { BuildError } from '../base/errors.ts';
import { byCodeUnit, didYouMean } from '../base/names.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { onlyGroups } from '../graph/pattern.ts';
import { grouping, listSource } from '../source/list.ts';
import { declaredSources } from './declared-sources.ts';

const listedMax = 20;

/**
 * Refuses `--only` with a pattern that no group of these targets' sources matches: a build of nothing would end well.
 *
 * @throws {BuildError} `unknown-group`, with the nearest name and the list of names.
 */
export function refuseUnknownGroups(targets: readonly GraphTarget[], only: string | undefined): void {
  if (only === undefined) return;
  const declared = targets.flatMap((target) => declaredSources(target).map((source) => ({ ...source, base: target.base })));
  // Which groups a remote pattern makes is known when it has been listed.
  if (declared.length === 0 || declared.some(({ group, pattern }) => isRemote(pattern) && group.includes('*'))) return;
  const groups = new Set(
    declared.flatMap(({ group, pattern, base }) => {
      if (!group.includes('*')) return [group];
      const spec = { group, patterns: [pattern], base };
      return listSource(spec).paths.map(grouping(spec));
    }),
  );
  if ([...groups].some(onlyGroups(only))) return;
  const names = [...groups].sort(byCodeUnit);
  const more = names.length > listedMax ? ` and ${names.length - listedMax} more` : '';
  throw new BuildError('unknown-group', {
    message: `--only: no group of the sources matches "${only}".${didYouMean(only, names)}`,
    hint: `Groups: ${names.slice(0, listedMax).join(', ') || 'none'}${more}.`,
  });
}
