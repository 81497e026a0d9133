import { isRemote, publicAddress } from '../base/address.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { isSourceValue } from '../rule/source.ts';
import { isObjectPattern } from '../source/object-pattern.ts';

/** One path, glob or address of a target's sources, as the config has it. */
export interface DeclaredSource {
  readonly group: string;
  readonly pattern: string;
}

export function declaredSources({ rule, options }: GraphTarget): DeclaredSource[] {
  return Object.entries(options).flatMap(([name, given]) => {
    if (rule.options[name]?.shape.type !== 'sources') return [];
    return Object.entries(given as object).flatMap(([group, value]: [string, unknown]) => {
      const patterns = typeof value === 'string' ? [value] : isSourceValue(value) ? value.patterns : [];
      return patterns.map((pattern) => ({ group, pattern }));
    });
  });
}

/** What the lock calls a target's remote sources. */
export const remoteAddresses = (target: GraphTarget): string[] =>
  declaredSources(target).flatMap(({ pattern }) => (isRemote(pattern) ? [publicAddress(pattern)] : []));

/** Those of them that stand for all objects that a glob matches. */
export const objectPatterns = (target: GraphTarget): string[] => remoteAddresses(target).filter(isObjectPattern);
