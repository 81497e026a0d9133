import { isRemote, publicAddress } from '../base/address.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { isSourceValue } from '../rule/source.ts';
import { isObjectPattern } from '../source/object-pattern.ts';

/** One path, glob or address of a target's sources, as the config has it. */
export interface DeclaredSource {
  readonly group: string;
  readonly pattern: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

export function declaredSources({ rule, options }: GraphTarget): DeclaredSource[] {
  return Object.entries(options).flatMap(([name, given]) => {
    if (rule.options[name]?.shape.type !== 'sources') return [];
    return Object.entries(given as object).flatMap(([group, value]: [string, unknown]) => {
      if (typeof value === 'string') return [{ group, pattern: value }];
      return isSourceValue(value)
        ? value.patterns.map((pattern) => ({ group, pattern, endpoint: value.endpoint, region: value.region }))
        : [];
    });
  });
}

/** What the lock calls a target's remote sources. */
export const remoteAddresses = (target: GraphTarget): string[] =>
  declaredSources(target).flatMap(({ pattern }) => (isRemote(pattern) ? [publicAddress(pattern)] : []));

/** Those of them that stand for all objects that a glob matches. */
export const objectPatterns = (target: GraphTarget): string[] => remoteAddresses(target).filter(isObjectPattern);
