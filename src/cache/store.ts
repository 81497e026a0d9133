import { closeSync, fdatasyncSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { uniqueName, writeAll } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import { Log } from './log.ts';

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
  readonly #packDir: string;
  readonly #packed: Log;
  #pack: { fd: number; name: string; bytes: number } | undefined;
  #unsynced = false;
  /** What this process wrote itself: hashed on its way to the disk, so that nobody needs to look again. */
  readonly #written = new Set<Digest>();

  constructor(stateDir: string) {
    this.dir = join(stateDir, 'store', 'v1');
    this.#packDir = join(this.dir, 'packs');
    this.#packed = new Log(this.#packDir, 'index');
  }

  path(digest: Digest): string {
    return join(this.dir, digest.slice(0, 2), digest);
  }

  refresh(): void {
    this.#packed.refresh();
  }

  /** Where a blob lies, or undefined when the store has not got it. Its bytes are checked by whoever reads them. */
  locate(digest: Digest): Location | undefined {
    const packed = this.#packed.get(digest);
    if (packed && packed.length > 0) {
      const length = packed.readUInt32LE(0);
      const offset = packed.readDoubleLE(4);
      const path = join(this.#packDir, packed.toString('utf8', 12));
      const size = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size >= offset + length) return [{ path, offset, length }];
    }
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
    if (this.locate(digest)) return digest;
    if (bytes.length < limits.packedBytesMax) this.#append(digest, bytes);
    else this.#write(digest, bytes);
    this.#written.add(digest);
    return digest;
  }

  /** Takes a file that was written beside the store and whose digest is known; the file is moved. */
  adopt(path: string, digest: Digest): void {
    mkdirSync(dirname(this.path(digest)), { recursive: true });
    renameSync(path, this.path(digest));
    this.#written.add(digest);
  }

  /** Forgets a blob, because its bytes turned out to be damaged or were moved to `out`. */
  remove(digest: Digest): void {
    this.#written.delete(digest);
    rmSync(this.path(digest), { force: true });
    if (this.#packed.get(digest)) this.#packed.put(digest, Buffer.alloc(0));
  }

  /** Makes all that was taken durable, so that results which name it may be written. */
  sync(): void {
    if (this.#pack && this.#unsynced) fdatasyncSync(this.#pack.fd);
    this.#unsynced = false;
    this.#packed.flush();
  }

  close(): void {
    try {
      this.sync();
    } catch {
      // Whoever needed it on the disk has called `sync` and was told; now it is only lost, as after a crash.
    }
    this.#packed.seal();
    this.#packed.compact();
    if (this.#pack) closeSync(this.#pack.fd);
    this.#pack = undefined;
  }

  /** Digests of all blobs that lie in files of their own. */
  *digests(): Generator<Digest> {
    for (const folder of readFolder(this.dir)) {
      if (/^[0-9a-f]{2}$/.test(folder)) yield* readFolder(join(this.dir, folder));
    }
  }

  #append(digest: Digest, bytes: Uint8Array): void {
    this.#pack ??= this.#openPack();
    try {
      writeAll(this.#pack.fd, bytes);
    } catch (error) {
      // How much of it was written is unknown: this pack takes nothing more.
      closeSync(this.#pack.fd);
      this.#pack = undefined;
      throw error;
    }
    const name = Buffer.from(this.#pack.name);
    const value = Buffer.alloc(12 + name.length);
    value.writeUInt32LE(bytes.length, 0);
    value.writeDoubleLE(this.#pack.bytes, 4);
    name.copy(value, 12);
    this.#pack.bytes += bytes.length;
    this.#unsynced = true;
    this.#packed.put(digest, value);
  }

  #openPack(): { fd: number; name: string; bytes: number } {
    mkdirSync(this.#packDir, { recursive: true });
    const name = `${uniqueName('blobs')}.pack`;
    return { fd: openSync(join(this.#packDir, name), 'ax'), name, bytes: 0 };
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

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
