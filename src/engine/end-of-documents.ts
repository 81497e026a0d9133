import type { Digest } from '../base/digest.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Project } from './project.ts';
import { partsOf } from './verify/last-results.ts';

/** The token that ends documents in what a target was made from: tokens say it, shards do not. */
export function eosRead(project: Project, manifest: Manifest): number | undefined {
  for (const digest of Object.values((manifest['inputs'] ?? {}) as Readonly<Record<string, Digest>>)) {
    const eosId = partsOf(project, digest)?.find(({ facts }) => facts['eos'] !== undefined)?.facts['eos'];
    if (eosId !== undefined) return eosId;
  }
  return undefined;
}
