/** A bucket in memory that gives up at a request that a test names, and remembers whose each object is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '../../src/base/digest.ts';
import { BucketDestination } from '../../src/publish/bucket/bucket-destination.ts';
import type { BucketContext } from '../../src/publish/bucket/context.ts';
import { decodeState, stateName } from '../../src/publish/bucket/state.ts';
import type { Publication, PublishOutcome } from '../../src/publish/destination.ts';
import { S3Error } from '../../src/s3/bucket.ts';
import { temporaryFolder } from '../cache/folders.ts';

interface StoredObject {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly digest: Digest | undefined;
  readonly owner: 'ours' | 'other';
}

export const out = 's3://bucket/prefix';
export const manifest = 'manifest.json';

export class BucketModel {
  readonly objects = new Map<string, StoredObject>();
  /** Writes and removals, in their order. */
  readonly changes: string[] = [];
  readonly warnings: string[] = [];
  /** Contents that were asked for, because they had to be sent. */
  readonly located: Digest[] = [];
  /** Requests that are still answered; then the machine is gone. */
  left = Number.POSITIVE_INFINITY;
  /** Called before each write of ours. */
  onChange: (name: string) => void = () => {};
  #etags = 0;
  #root = temporaryFolder();

  put(name: string, content: string, owner: 'ours' | 'other' = 'other', digest?: Digest): string {
    const etag = `"${this.#etags++}"`;
    this.objects.set(name, { bytes: Buffer.from(content), etag, digest, owner });
    return etag;
  }

  /** Names and contents, but for the state object's. */
  contents(): Record<string, string> {
    const all = [...this.objects].filter(([name]) => name !== stateName).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(all.map(([name, { bytes }]) => [name, bytes.toString()]));
  }

  state() {
    const stored = this.objects.get(stateName);
    return stored && decodeState(stored.bytes);
  }

  /** Another machine: nothing is known here. */
  forget(): void {
    this.#root = temporaryFolder();
  }

  destination(): BucketDestination {
    const bucket = this.#bucket();
    return new BucketDestination({
      out,
      bucket,
      stateDir: this.#root,
      signal: new AbortController().signal,
      locate: (digest) => {
        this.located.push(digest);
        const path = join(this.#root, digest);
        return Promise.resolve([{ path, offset: 0, length: this.#contents.get(digest)?.length ?? 0 }]);
      },
      warn: ({ where }) => void this.warnings.push(where),
      note: () => {},
    });
  }

  readonly #contents = new Map<Digest, Buffer>();

  /** @param files contents by name; the manifest says that the others are there. */
  publish(files: Readonly<Record<string, string>>, more: Partial<Publication> = {}): Promise<PublishOutcome> {
    mkdirSync(this.#root, { recursive: true });
    const wanted = Object.entries(files).map(([name, content]) => {
      const digest = digestHex(content);
      writeFileSync(join(this.#root, digest), content);
      this.#contents.set(digest, Buffer.from(content));
      return { name, digest, bytes: Buffer.byteLength(content), target: 'target', isLast: name === manifest };
    });
    return this.destination().publish({
      out,
      files: wanted,
      wanted: wantedOf(files),
      partial: false,
      isInPlace: () => false,
      overwrite: false,
      ...more,
    });
  }

  #bucket(): BucketContext['bucket'] {
    const ask = (): void => {
      if (this.left-- <= 0) throw new S3Error({ kind: 'network', message: 'the machine is gone', again: false });
    };
    const { objects } = this;
    return {
      list: async function* () {
        ask();
        for (const [key, { bytes, etag }] of [...objects]) yield { key, bytes: bytes.length, etag, modified: 0 };
      },
      get: async (name) => {
        ask();
        return objects.get(name);
      },
      head: async (key) => {
        ask();
        const found = objects.get(key);
        return found && { key, bytes: found.bytes.length, etag: found.etag, modified: 0, ...(found.digest && { digest: found.digest }) };
      },
      digestOf: async (name) => {
        ask();
        return digestHex(objects.get(name)?.bytes ?? Buffer.alloc(0));
      },
      write: async (name, source, { condition, digest }) => {
        ask();
        this.onChange(name);
        const there = objects.get(name);
        if (condition === 'absent' ? there : condition !== 'any' && there?.etag !== condition.etag) return undefined;
        const pieces: Uint8Array[] = [];
        for await (const piece of source()) pieces.push(piece);
        this.changes.push(`+${name}`);
        return this.put(name, Buffer.concat(pieces).toString(), 'ours', digest);
      },
      remove: async (names) => {
        ask();
        for (const name of names) {
          this.changes.push(`-${name}`);
          objects.delete(name);
        }
      },
      removeUnfinished: () => Promise.resolve(0),
      close: () => {},
    };
  }
}

export const wantedOf = (files: Readonly<Record<string, string>>): Digest => digestHex(JSON.stringify(Object.entries(files).sort()));
