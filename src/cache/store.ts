import { closeSync, fdatasyncSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { namesIfReadable, uniqueName, writeAll } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import { Packs } from './packs.ts';
import { StoreSize } from './store-size.ts';

/** Bytes on this disk: one run of a file. */
export interface Segment {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** Small files share chunks; one that lacks its last newline gets it here. */
  readonly addNewline?: boolean;
}

/** Where a part's bytes lie, in order. */
export type Location = readonly Segment[];

/**
 * Content by digest. A blob of its own lies at `store/v1/ab/<digest>`, written under another name, hashed while written, renamed.
 * Small blobs are appended to a pack file; a log says where in it.
 */
export class Store {
  readonly dir: string;
  readonly packs: Packs;
  readonly size: StoreSize;
  /** What this process wrote itself: hashed on its way to the disk, so that nobody needs to look again. */
  readonly #written = new Set<Digest>();

  constructor(stateDir: string) {
    this.dir = join(stateDir, 'store', 'v1');
    this.size = Store.sizeOf(stateDir);
    this.packs = new Packs(join(this.dir, 'packs'));
  }

  /** How large the store of a folder is, for who has not opened it. */
  static sizeOf(stateDir: string): StoreSize {
    return new StoreSize(join(stateDir, 'store', 'v1', 'size'));
  }

  path(digest: Digest): string {
    return join(this.dir, digest.slice(0, 2), digest);
  }

  refresh(): void {
    this.packs.refresh();
  }

  /** Where a blob lies, or undefined when the store has not got it. Its bytes are checked by whoever reads them. */
  locate(digest: Digest): Location | undefined {
    const packed = this.packs.locate(digest);
    if (packed) return [packed];
    const path = this.path(digest);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat && [{ path, offset: 0, length: stat.size }];
  }

  /** Whether this process wrote the blob itself; what an earlier one left may have been damaged since. */
  isOwn(digest: Digest): boolean {
    return this.#written.has(digest);
  }

  /** Takes bytes, if they are new, and gives their digest. */
  put(bytes: Uint8Array): Digest {
    const digest = digestHex(bytes);
    if (this.touch(digest)) return digest;
    if (bytes.length < limits.packedBytesMax) this.packs.append(digest, bytes);
    else this.#write(digest, bytes);
    this.#written.add(digest);
    this.size.add(bytes.length);
    return digest;
  }

  /** Whether a blob is there; from now on it is as young as one that was just written. */
  touch(digest: Digest): boolean {
    const [segment] = this.locate(digest) ?? [];
    if (!segment) return false;
    const now = new Date();
    try {
      utimesSync(segment.path, now, now);
    } catch {
      // Not ours, or gone just now: then it is missing where it is read, and made again.
    }
    return true;
  }

  /** Takes a file that was written beside the store and whose digest is known; the file is moved. */
  adopt(path: string, digest: Digest): void {
    this.moveIn(path, digest);
    this.#written.add(digest);
  }

  /** Takes a file whose bytes were what the digest says when somebody last looked. @throws what the file system threw. */
  moveIn(path: string, digest: Digest): void {
    mkdirSync(dirname(this.path(digest)), { recursive: true });
    renameSync(path, this.path(digest));
    this.size.add(this.#bytesOf(digest));
  }

  /** Keeps the bytes of a file that is about to be replaced. @throws what the file system threw. */
  linkIn(path: string, digest: Digest): void {
    mkdirSync(dirname(this.path(digest)), { recursive: true });
    linkSync(path, this.path(digest));
    this.size.add(this.#bytesOf(digest));
  }

  /** Hands a blob that has a file of its own to a folder of the user's. @throws what the file system threw. */
  moveOut(digest: Digest, path: string): void {
    const bytes = this.#bytesOf(digest);
    renameSync(this.path(digest), path);
    this.size.add(-bytes);
  }

  /** Forgets a blob, because its bytes turned out to be damaged, were moved to `out`, or are collected. */
  remove(digest: Digest): void {
    this.#written.delete(digest);
    this.size.add(-this.#bytesOf(digest));
    rmSync(this.path(digest), { force: true });
    this.packs.forget(digest);
  }

  #bytesOf(digest: Digest): number {
    return lstatSync(this.path(digest), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Makes all that was taken durable, so that results which name it may be written. */
  sync(): void {
    this.packs.sync();
  }

  close(): void {
    try {
      this.sync();
      this.size.save();
    } catch {
      // Whoever needed it on the disk has called `sync` and was told; now it is only lost, as after a crash.
    }
    this.packs.close();
  }

  /** Digests of all blobs that lie in files of their own. */
  *digests(): Generator<Digest> {
    for (const folder of namesIfReadable(this.dir)) {
      if (/^[0-9a-f]{2}$/.test(folder)) yield* namesIfReadable(join(this.dir, folder));
    }
  }

  #write(digest: Digest, bytes: Uint8Array): void {
    mkdirSync(dirname(this.path(digest)), { recursive: true });
    const temporary = join(this.dir, uniqueName('tmp'));
    const fd = openSync(temporary, 'wx');
    try {
      writeAll(fd, bytes);
      fdatasyncSync(fd);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, this.path(digest));
  }
}
