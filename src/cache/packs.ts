import { closeSync, fdatasyncSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { namesIfThere, uniqueName, writeAll } from '../base/files.ts';
import { Log } from './log.ts';
import type { Segment } from './store.ts';

/** Where a small blob lies. */
export interface PackEntry {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
}

/** A collection of garbage leaves no more files of the index than this. */
const indexFilesMax = 4;

/** Small blobs, one after another in files that are only ever appended to; a log says which of them lies where. */
export class Packs {
  readonly dir: string;
  readonly #index: Log;
  #own: { fd: number; name: string; bytes: number } | undefined;
  #unsynced = false;

  constructor(dir: string) {
    this.dir = dir;
    this.#index = new Log(dir, 'index');
  }

  path(pack: string): string {
    return join(this.dir, pack);
  }

  refresh(): void {
    this.#index.refresh();
  }

  locate(digest: Digest): Segment | undefined {
    const value = this.#index.get(digest);
    if (!isEntry(value)) return undefined;
    const found = this.#segment(decodeEntry(value));
    if (found) return found;
    // Its pack was rewritten since: where its entries went is in the log of who did that.
    this.refresh();
    const moved = this.#index.get(digest);
    return isEntry(moved) ? this.#segment(decodeEntry(moved)) : undefined;
  }

  #segment({ pack, offset, length }: PackEntry): Segment | undefined {
    const path = this.path(pack);
    const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
    return size >= offset + length ? { path, offset, length } : undefined;
  }

  *entries(): Generator<[Digest, PackEntry]> {
    for (const [digest, value] of this.#index.entries()) if (value.length > 0) yield [digest, decodeEntry(value)];
  }

  append(digest: Digest, bytes: Uint8Array): void {
    this.#own ??= this.#open();
    try {
      writeAll(this.#own.fd, bytes);
    } catch (error) {
      // How much of it was written is unknown: this pack takes nothing more.
      this.#leave();
      throw error;
    }
    this.#index.put(digest, encodeEntry({ pack: this.#own.name, offset: this.#own.bytes, length: bytes.length }));
    this.#own.bytes += bytes.length;
    this.#unsynced = true;
  }

  forget(digest: Digest): void {
    if (isEntry(this.#index.get(digest))) this.#index.put(digest, Buffer.alloc(0));
  }

  sync(): void {
    if (this.#own && this.#unsynced) fdatasyncSync(this.#own.fd);
    this.#unsynced = false;
    this.#index.flush();
  }

  /** Makes the index durable as well: what it no longer names may be removed. @throws what the file system threw. */
  seal(): void {
    this.sync();
    this.#index.seal();
  }

  /** Joins the files of the index into one, if there are more than a few, without entries whose pack is gone. */
  compact(): void {
    this.seal();
    const packs = new Set(namesIfThere(this.dir));
    this.#index.compact(indexFilesMax, (value) => isEntry(value) && packs.has(decodeEntry(value).pack));
  }

  close(): void {
    this.#index.seal();
    this.#index.compact();
    this.end();
  }

  /** Appends nothing more to this process's pack: the next blob opens another. */
  end(): void {
    if (this.#own) this.sync();
    this.#leave();
  }

  #leave(): void {
    if (this.#own) closeSync(this.#own.fd);
    this.#own = undefined;
  }

  #open(): { fd: number; name: string; bytes: number } {
    mkdirSync(this.dir, { recursive: true });
    const name = `${uniqueName('blobs')}.pack`;
    return { fd: openSync(join(this.dir, name), 'ax'), name, bytes: 0 };
  }
}

/** A value of no bytes says that the blob is gone. */
const isEntry = (value: Buffer | undefined): value is Buffer => value !== undefined && value.length > 0;

function encodeEntry({ pack, offset, length }: PackEntry): Buffer {
  const name = Buffer.from(pack);
  const value = Buffer.alloc(12 + name.length);
  value.writeUInt32LE(length, 0);
  value.writeDoubleLE(offset, 4);
  name.copy(value, 12);
  return value;
}

const decodeEntry = (value: Buffer): PackEntry => ({
  length: value.readUInt32LE(0),
  offset: value.readDoubleLE(4),
  pack: value.toString('utf8', 12),
});
