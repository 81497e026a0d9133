import type { Digest } from '../../base/digest.ts';
import type { TargetResult } from '../results.ts';
import { type Contents, packBag, type Read, readBag } from './bag.ts';
import { checkedTargetResult } from './check-results.ts';
import { openRecord, sealRecord } from './envelope.ts';
import type { Signer } from './signing.ts';

/** What one target came to, with the lists of its parts and what small files it publishes: one object tells all of a build with nothing to do. */
export interface TargetRecord {
  readonly result: TargetResult;
  readonly contents: Contents;
}

export function encodeTargetRecord(key: Digest, { result, contents }: TargetRecord, signer?: Signer): Buffer {
  const { origin: _, ...about } = result;
  return sealRecord({ kind: 'target', name: key }, packBag({ about, contents }), signer);
}

/** The record that was found under a key; undefined when it is damaged, or stands for another key. */
export function decodeTargetRecord(bytes: Buffer, key: Digest): Read<TargetRecord> | undefined {
  return readBag(openRecord(bytes, { kind: 'target', name: key }), ({ about, contents }) => ({
    result: checkedTargetResult(about),
    contents,
  }));
}
