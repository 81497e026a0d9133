import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPartIfThere } from '../cache/part-reader.ts';
import type { TargetResult } from '../cache/results.ts';
import type { Store } from '../cache/store.ts';
import { CollectionView } from '../rule/collection.ts';
import { heldDigests, readLineageTable } from './lineage-table.ts';

/**
 * What bytes of a target are: `list`: its collections and the table of where their parts come from, which a build that has nothing to do looks
 * at; `output`: what is published; `intermediate`: all else that its steps made.
 */
export type HeldAs = 'list' | 'output' | 'intermediate';

export interface Held {
  readonly digest: Digest;
  readonly as: HeldAs;
}

function collectionIn(store: Store, digest: Digest): CollectionView | undefined {
  const bytes = readPartIfThere(digest, store.locate(digest));
  try {
    return bytes && new CollectionView(bytes);
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

/**
 * All bytes that a result of a target holds, as far as its lists tell: a digest may come several times, in the order of `HeldAs`.
 * Its parts may lie elsewhere than in the store, such as chunks of source files.
 */
export function* heldBy(result: TargetResult, store: Store): Generator<Held> {
  const lists = Object.values(result.outputs).map(({ digest }) => digest);
  for (const digest of result.lineage === undefined ? lists : [...lists, result.lineage]) yield { digest, as: 'list' };
  for (const list of lists) {
    const view = collectionIn(store, list);
    for (let i = 0; view && i < view.count; i++) {
      yield { digest: view.digest(i), as: view.name(i) === undefined ? 'intermediate' : 'output' };
    }
  }
  const table = result.lineage === undefined ? undefined : readLineageTable(store, result.lineage);
  if (table) for (const digest of heldDigests(table)) yield { digest, as: 'intermediate' };
}
