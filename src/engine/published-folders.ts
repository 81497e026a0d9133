import type { Digest } from '../base/digest.ts';
import type { Finder } from '../cache/locations.ts';
import type { Location } from '../cache/store.ts';
import { type Published, readPublished } from '../publish/published.ts';

/** What lies in the folders that this project publishes into: bytes of the store that now live there. */
export class PublishedFolders implements Finder {
  readonly #stateDir: string;
  readonly #outs: Iterable<string>;
  readonly #folders = new Map<string, Published>();

  /** @param outs all folders that targets publish into; they are read when bytes are looked for. */
  constructor(stateDir: string, outs: Iterable<string>) {
    this.#stateDir = stateDir;
    this.#outs = outs;
  }

  get(out: string): Published {
    let folder = this.#folders.get(out);
    if (!folder) {
      folder = readPublished(this.#stateDir, out);
      this.#folders.set(out, folder);
    }
    return folder;
  }

  /** After a folder changed: it is read again when it is needed. */
  forget(out: string): void {
    this.#folders.delete(out);
    this.get(out);
  }

  locate(digest: Digest): Location | undefined {
    for (const out of new Set([...this.#outs, ...this.#folders.keys()])) {
      const location = this.get(out).locate(digest);
      if (location) return location;
    }
    return undefined;
  }
}
