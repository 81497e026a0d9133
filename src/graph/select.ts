import { BuildError } from '../base/errors.ts';
import { byCodeUnit, didYouMean } from '../base/names.ts';
import type { Graph, GraphTarget } from './graph.ts';
import { isPattern, matcher } from './pattern.ts';

export interface Selection {
  /** Names, folders of names (`gpt2`) or patterns (`gpt2/*`); none means all. */
  readonly names: readonly string[];
  /** Only targets with one of these tags; none means all. */
  readonly tags: readonly string[];
}

const namesListedMax = 40;

function listed(names: readonly string[]): string {
  const more = names.length - namesListedMax;
  return names.slice(0, namesListedMax).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Names that the config gives; inner targets answer to theirs, but nobody wants to read them. */
const givenNames = ({ outputs }: Graph): string[] => [...outputs].filter(([, { target }]) => target.named).map(([name]) => name);

/** Names of targets for somebody who gave one that there is not. */
export const listedTargets = (graph: Graph): string => listed(givenNames(graph)) || 'none';

function meantBy(graph: Graph, name: string): readonly GraphTarget[] {
  const exact = graph.get(name);
  if (exact) return [exact];
  const matches = matcher(name);
  const found = [...graph.outputs].filter(([known]) => matches(known)).map(([, { target }]) => target);
  if (found.length > 0) return found;
  const nearest = isPattern(name) ? '' : didYouMean(name, graph.outputs.keys());
  throw new BuildError('unknown-target', {
    message: `${isPattern(name) ? 'no target matches' : 'there is no target'} "${name}".${nearest}`,
    hint: `Targets: ${listedTargets(graph)}.`,
  });
}

function refuseUnknownTags(graph: Graph, tags: readonly string[]): void {
  const known = new Set(graph.targets.flatMap(({ common }) => common.tags ?? []));
  const unknown = tags.find((tag) => !known.has(tag));
  if (unknown === undefined) return;
  throw new BuildError('unknown-tag', {
    message: `no target has the tag "${unknown}".${didYouMean(unknown, known)}`,
    hint: known.size > 0 ? `Tags: ${[...known].sort(byCodeUnit).join(', ')}.` : 'No target has any tag.',
  });
}

function withNeeded(wanted: ReadonlySet<GraphTarget>): ReadonlySet<GraphTarget> {
  const needed = new Set(wanted);
  for (const target of needed) for (const { from } of target.inputs) needed.add(from);
  return needed;
}

/**
 * The targets that are asked for and all that they need, in the order of the graph. What writes a target's documents as files
 * comes with it, so that a folder never shows an older state than the targets built from it.
 * @throws {BuildError} `unknown-target` or `unknown-tag`, with the nearest name and the list of names.
 */
export function select(graph: Graph, { names, tags }: Selection): GraphTarget[] {
  refuseUnknownTags(graph, tags);
  const asked = names.length === 0 ? graph.targets : names.flatMap((name) => meantBy(graph, name));
  const wanted = new Set(tags.length === 0 ? asked : asked.filter(({ common }) => common.tags?.some((tag) => tags.includes(tag))));
  if (wanted.size === 0 && graph.targets.length > 0) {
    throw new BuildError('unknown-target', {
      message: `none of ${names.join(', ')} has the tag ${tags.join(' or ')}`,
      hint: 'Leave the names or --tag away.',
    });
  }
  const needed = withNeeded(wanted);
  const isFilesOfNeeded = ({ filesOf, inputs }: GraphTarget): boolean =>
    filesOf !== undefined && inputs.every(({ from }) => needed.has(from));
  return graph.targets.filter((target) => needed.has(target) || isFilesOfNeeded(target));
}
