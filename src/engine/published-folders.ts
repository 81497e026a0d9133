import type { Digest } from '../base/digest.ts';
import type { Finder } from '../cache/locations.ts';
import type { Location } from '../cache/store.ts';
import { type Published, readPublished } from '../publish/published.ts';

/** What lies in the folders that this project publishes into: bytes of the store that now live there. */
export class PublishedFolders implements Finder {
  readonly #stateDir: string;
  readonly #folders = new Map<string, Published>();

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
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
    for (const folder of this.#folders.values()) {
      const location = folder.locate(digest);
      if (location) return location;
    }
    return undefined;
  }
}
