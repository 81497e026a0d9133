import type { Digest } from '../../base/digest.ts';
import type { StepResult } from '../results.ts';
import { type Contents, packBag, type Read, readBag } from './bag.ts';
import { BadShape, checkedStepResult } from './check-results.ts';
import { openRecord, sealRecord } from './envelope.ts';
import { isDigest } from './layout.ts';
import type { Signer } from './signing.ts';

/** Results of steps by their keys, and the small outputs among them. A bag: nothing depends on which results lie in which pack. */
export interface StepPack {
  readonly steps: ReadonlyMap<Digest, StepResult>;
  readonly contents: Contents;
}

/** @param pack its name, `<head>/<run>-<n>`. */
export function encodeStepPack(pack: string, { steps, contents }: StepPack, signer?: Signer): Buffer {
  const about = [...steps].map(([key, { origin: _, ...result }]) => [key, result]);
  return sealRecord({ kind: 'pack', name: pack }, packBag({ about, contents }), signer);
}

/** Whether bytes are not those of any pack of this name, or were written for another. */
export const isDamagedPack = (bytes: Buffer, pack: string): boolean => openRecord(bytes, { kind: 'pack', name: pack }) === 'damaged';

/** The pack that was found under a name; undefined when it is damaged, or was written under another. */
export function decodeStepPack(bytes: Buffer, pack: string): Read<StepPack> | undefined {
  return readBag(openRecord(bytes, { kind: 'pack', name: pack }), ({ about, contents }) => {
    if (!Array.isArray(about)) throw new BadShape('no list of results');
    return { steps: new Map(about.map(entryOf)), contents };
  });
}

function entryOf(entry: unknown): [Digest, StepResult] {
  if (!Array.isArray(entry) || !isDigest(entry[0])) throw new BadShape('no key');
  return [entry[0], checkedStepResult(entry[1])];
}
