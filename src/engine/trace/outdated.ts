import type { GraphTarget } from '../../graph/graph.ts';
import { targetManifest } from '../../plan/manifest.ts';
import type { LastPlan } from '../last-plan.ts';
import type { Project } from '../project.ts';
import { resolvedOptions } from '../resolve-options.ts';

/** As it is read back from a file. */
const plain = (value: unknown): string => JSON.stringify(value) ?? '';

/** Options that the key holds as they are; of files, sources and functions it holds digests, which only a plan can tell. */
function changedOptions(target: GraphTarget, last: LastPlan): string[] {
  const was = (last.manifest.options ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(target.options)
    .filter(([name]) => !resolvedOptions.has(target.rule.options[name]?.shape.type ?? '') && name !== 'inPlace')
    .filter(([name, value]) => plain(value) !== plain(was[name]))
    .map(([name]) => name);
}

/** What can be told without a plan of how a target has become older than config and program; a trace then shows what was last built. */
export function outdatedBy(target: GraphTarget, last: LastPlan, { settings }: Project): string[] {
  const { steps, version, settings: wanted } = targetManifest({ rule: target.rule, options: {}, inputs: {}, settings });
  const same = plain([steps, version, wanted]) === plain([last.manifest.steps, last.manifest.version, last.manifest.settings]);
  const options = changedOptions(target, last);
  const reasons = [
    ...options.map((name) => `another ${name}`),
    ...(same ? [] : ['another version of its rule, or chunks of another size']),
  ];
  const part =
    last.only === undefined ? [] : [`${target.name} was only built with --only '${last.only}': of the other groups nothing is known`];
  if (reasons.length === 0) return part;
  return [...part, `${target.name} was last built with ${reasons.join(', ')} than now; this is how it was built then`];
}
