import type { Digest } from '../base/digest.ts';
import { keyOf, type Manifest } from '../plan/manifest.ts';
import type { Rule } from '../rule/rule.ts';

/**
 * What targets have in common whose steps lie in the same packs: all that is in their keys but what they read. A target whose inputs changed
 * so finds with one listing what is known of the inputs that did not.
 */
export function remoteHead(manifest: Manifest, rule: Rule): Digest {
  const options = Object.entries((manifest['options'] ?? {}) as Manifest);
  const isSource = ([name]: readonly [string, unknown]): boolean => rule.options[name]?.shape.type === 'sources';
  return keyOf({ ...manifest, inputs: {}, options: Object.fromEntries(options.filter((option) => !isSource(option))) });
}
