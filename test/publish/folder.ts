/** A store and a folder that is published into, as a build has them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestHex } from '../../src/base/digest.ts';
import { Locations } from '../../src/cache/locations.ts';
import { Store } from '../../src/cache/store.ts';
import type { Publication, PublishOutcome } from '../../src/publish/destination.ts';
import { publish } from '../../src/publish/publish.ts';
import { readPublished } from '../../src/publish/published.ts';
import { temporaryFolder } from '../cache/folders.ts';

/** Content of files by name, in the order in which they are to appear. */
export type Files = Readonly<Record<string, string>>;

export class Folder {
  readonly root: string;
  readonly stateDir: string;
  readonly out: string;
  store: Store;
  /** Contents that a step had to make again, because nobody held them. */
  readonly made: string[] = [];
  readonly warnings: string[] = [];

  constructor(root = temporaryFolder(), out = 'out') {
    this.root = root;
    this.stateDir = join(root, '.state');
    this.out = join(root, out);
    this.store = new Store(this.stateDir);
  }

  /** The next process: it knows what is on the disk. */
  restart(): void {
    this.store = new Store(this.stateDir);
  }

  path(name: string): string {
    return join(this.out, name);
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Everything that lies in the folder, temporary files as well. */
  files(): Record<string, string> {
    if (!existsSync(this.out)) return {};
    const entries = readdirSync(this.out, { recursive: true, withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(this.out.length + 1));
    return Object.fromEntries(names.sort().map((name) => [name, this.read(name)]));
  }

  locations(): Locations {
    const locations = new Locations(this.store);
    locations.add(readPublished(this.stateDir, this.out));
    return locations;
  }

  /** Puts what is wanted into the store where nobody holds it, then publishes. */
  async publish(files: Files, more: Partial<Publication> = {}): Promise<PublishOutcome> {
    const contents = new Map(Object.values(files).map((content) => [digestHex(content), content]));
    const locations = this.locations();
    const need = (digest: Digest): Promise<void> => {
      if (locations.locate(digest)) return Promise.resolve();
      const content = contents.get(digest) as string;
      this.made.push(content);
      this.store.put(Buffer.from(content));
      return Promise.resolve();
    };
    const { stateDir, store } = this;
    const context = { stateDir, store, locations, need, warn: ({ where }: { where: string }) => void this.warnings.push(where) };
    return publish(context, {
      out: this.out,
      files: Object.entries(files).map(([name, content]) => ({
        name,
        digest: digestHex(content),
        bytes: Buffer.byteLength(content),
        target: 'target',
        isLast: false,
      })),
      wanted: digestHex(JSON.stringify(Object.entries(files))),
      partial: false,
      isInPlace: () => false,
      overwrite: false,
      ...more,
    });
  }
}

/** More than the store puts into a pack. */
export const large = (content: string): string => content.padEnd(70_000, content);

export const sorted = (files: Files): Record<string, string> =>
  Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
