import type { Digest } from '../base/digest.ts';
import type { Location, Store } from './store.ts';

/** Anything that may know where bytes lie: published folders, source files. */
export interface Finder {
  locate(digest: Digest): Location | undefined;
}

/** Finds bytes wherever they are on this machine: a blob lives in one place, in the store, in `out`, or in a source file. */
export class Locations implements Finder {
  readonly #finders: Finder[];

  constructor(store: Store) {
    this.#finders = [store];
  }

  add(finder: Finder): void {
    this.#finders.push(finder);
  }

  locate(digest: Digest): Location | undefined {
    for (const finder of this.#finders) {
      const location = finder.locate(digest);
      if (location) return location;
    }
    return undefined;
  }
}
