import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';
import { readPartIfThere } from '../../cache/part-reader.ts';
import type { Location, Store } from '../../cache/store.ts';
import { CollectionView } from '../../rule/collection.ts';
import { decodeLineage, type Lineage } from '../../rule/lineage.ts';
import { decodeVerdicts } from '../../rule/verdicts.ts';
import { decodeView, isSelected } from '../../rule/view.ts';
import { type LineageTable, readLineageTable } from '../lineage-table.ts';
import { Lines } from './lines.ts';

/** Which records of its base a view selects, to be counted in both directions. */
export class SelectedRecords {
  readonly base: Digest;
  /** Records of the base. */
  readonly records: number;
  /** The selected ones, rising. */
  readonly selected: Uint32Array;

  constructor(bytes: Buffer) {
    const view = decodeView(bytes);
    this.base = view.base;
    this.records = view.records;
    const selected: number[] = [];
    for (let record = 0; record < view.records; record++) if (isSelected(view, record)) selected.push(record);
    this.selected = Uint32Array.from(selected);
  }

  /** The place of a record among the selected ones; undefined if it is none of them. */
  placeOf(record: number): number | undefined {
    let [low, high] = [0, this.selected.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.selected[middle] as number) < record) low = middle + 1;
      else high = middle;
    }
    return this.selected[low] === record ? low : undefined;
  }
}

/** Few are held, because a row has its origin in few parts that lie beside each other. Lines are chunks of up to 16 MiB. */
const heldMax = 64;
const linesHeldMax = 4;

/** Reads what a trace needs, checked, and remembers what it read last. What is gone or damaged is undefined: it is never fatal. */
export class Archive {
  readonly #store: Store;
  readonly #miss: (digest: Digest) => void;
  readonly #held = new Map<string, unknown>();
  readonly #lines = new Map<string, unknown>();

  /** @param miss is told what is not here, and may throw where it can be had: nothing is remembered then. */
  constructor(store: Store, miss: (digest: Digest) => void = () => {}) {
    this.#store = store;
    this.#miss = miss;
  }

  table(digest: Digest): LineageTable | undefined {
    return this.#once(`table ${digest}`, () => this.#locate(digest) && readLineageTable(this.#store, digest));
  }

  collection(digest: Digest): CollectionView | undefined {
    return this.#once(`collection ${digest}`, () => this.#decoded(digest, (bytes) => new CollectionView(bytes)));
  }

  view(digest: Digest): SelectedRecords | undefined {
    return this.#once(`view ${digest}`, () => this.#decoded(digest, (bytes) => new SelectedRecords(bytes)));
  }

  lineage(digest: Digest): Lineage | undefined {
    return this.#once(`lineage ${digest}`, () => this.#decoded(digest, decodeLineage));
  }

  verdicts(digest: Digest): ReadonlyMap<number, string> | undefined {
    return this.#once(`verdicts ${digest}`, () => this.#decoded(digest, decodeVerdicts));
  }

  /** @param elsewhere where the bytes lie, if the store has not got them. */
  lines(digest: Digest, elsewhere?: Location): Lines | undefined {
    return remembered({ held: this.#lines, max: linesHeldMax, name: digest }, () => {
      const bytes = this.#bytes(digest, elsewhere);
      return bytes && new Lines(bytes);
    });
  }

  #decoded<T>(digest: Digest, decode: (bytes: Buffer) => T): T | undefined {
    const bytes = this.#bytes(digest);
    try {
      return bytes && decode(bytes);
    } catch (error) {
      if (error instanceof BuildError) return undefined;
      throw error;
    }
  }

  #bytes(digest: Digest, elsewhere?: Location): Buffer | undefined {
    return readPartIfThere(digest, this.#locate(digest, elsewhere));
  }

  #locate(digest: Digest, elsewhere?: Location): Location | undefined {
    const location = this.#store.locate(digest) ?? elsewhere;
    if (!location) this.#miss(digest);
    return location;
  }

  #once<T>(name: string, read: () => T): T {
    return remembered({ held: this.#held, max: heldMax, name }, read);
  }
}

/** What was read under a name; the least recently used is let go. */
function remembered<T>({ held, max, name }: { held: Map<string, unknown>; max: number; name: string }, read: () => T): T {
  const value = held.has(name) ? (held.get(name) as T) : read();
  held.delete(name);
  held.set(name, value);
  if (held.size > max) held.delete(held.keys().next().value as string);
  return value;
}
