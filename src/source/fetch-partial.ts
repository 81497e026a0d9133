import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { createHasher, digestHex, type Hasher } from '../base/digest.ts';
import { readIfThere, uniqueName, writeFileAtomic } from '../base/files.ts';
import type { Resume, Seen } from './fetch-remote.ts';

/** What lies beside a partial file: bytes up to `bytesSafe` are on the disk even after a loss of power. */
interface State {
  readonly seen: Seen;
  readonly bytesSafe: number;
  /** CRC-32 of those bytes: nothing else would tell that they went bad before they are pinned. */
  readonly checksum: number;
}

export interface PartialOptions {
  readonly dir: string;
  /** Name of the remote file: a digest, because addresses may hold anything. */
  readonly id: string;
  /** Also compute SHA-256. */
  readonly sha256: boolean;
  /** How much a crash may cost. */
  readonly checkpointBytes: number;
}

const host = digestHex(hostname()).slice(0, 8);
/** Process ids come again, also soon: in a container nearly every process is the first. */
const life = uniqueName('').replaceAll('-', '');
const mine = `${host}-${process.pid}-${life}`;
let counter = 0;

/**
 * A file that is being fetched: a folder of its own with the bytes and their state. It belongs to one call of one process, whose name
 * it carries, and is taken over by renaming it, so that two calls never write one file. Left behind by a failure it is named `<id>.rest`.
 */
export class PartialFile {
  bytes = 0;
  seen: Seen = {};
  readonly #options: PartialOptions;
  readonly #folder: string;
  readonly #handle: FileHandle;
  #bytesSafe = 0;
  /** There is a file that says which bytes are safe. */
  #hasState = false;
  #blake3: Hasher = createHasher();
  #sha256: Hash = createHash('sha256');
  #checksum = 0;

  private constructor(options: PartialOptions, folder: string, handle: FileHandle) {
    this.#options = options;
    this.#folder = folder;
    this.#handle = handle;
  }

  /** Goes on with what an earlier call left, if nobody else does. */
  static async claim(options: PartialOptions): Promise<PartialFile> {
    const folder = join(options.dir, `${options.id}.${mine}-${counter++}`);
    mkdirSync(options.dir, { recursive: true });
    const left = readdirSync(options.dir).filter((name) => name.startsWith(`${options.id}.`) && isLeft(name.slice(options.id.length + 1)));
    const taken = left.some((name) => renamed(join(options.dir, name), folder));
    if (!taken) mkdirSync(folder);
    const file = new PartialFile(options, folder, await open(join(folder, 'bytes'), taken ? 'a+' : 'ax+'));
    await file.#load();
    return file;
  }

  /** Where a request may go on: only where the server said what it gave. */
  resume(): Resume | undefined {
    const known = this.seen.etag !== undefined || this.seen.lastModified !== undefined;
    return this.bytes > 0 && known ? { from: this.bytes, seen: this.seen } : undefined;
  }

  /** Forgets all bytes: what comes now is `seen`. */
  async restart(seen: Seen): Promise<void> {
    await this.#handle.truncate(0);
    this.bytes = 0;
    this.seen = seen;
    this.#blake3 = createHasher();
    this.#sha256 = createHash('sha256');
    this.#checksum = 0;
    // Nothing says that there are safe bytes, of most files ever: a small one costs no state.
    if (this.#hasState) this.#saveState(0);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += (await this.#handle.write(bytes, done)).bytesWritten;
    this.#hash(bytes);
    if (this.bytes - this.#bytesSafe >= this.#options.checkpointBytes) await this.#checkpoint();
  }

  digests(): { blake3: string; sha256: string } {
    return { blake3: this.#blake3.digest().toString('hex'), sha256: this.#sha256.digest('hex') };
  }

  /** Ends it: the bytes are on the disk, at the path that is returned. */
  async finish(name = uniqueName(this.#options.id)): Promise<string> {
    await this.#handle.datasync();
    await this.#handle.close();
    const path = join(this.#options.dir, name);
    renameSync(join(this.#folder, 'bytes'), path);
    rmSync(this.#folder, { recursive: true, force: true });
    return path;
  }

  /** Leaves what there is to a later call. */
  async leave(): Promise<void> {
    const useful = this.resume() !== undefined;
    try {
      if (useful) await this.#checkpoint();
    } finally {
      await this.#handle.close();
    }
    const rest = join(this.#options.dir, `${this.#options.id}.rest`);
    if (useful) rmSync(rest, { recursive: true, force: true });
    if (!useful || !renamed(this.#folder, rest)) rmSync(this.#folder, { recursive: true, force: true });
  }

  async #checkpoint(): Promise<void> {
    await this.#handle.datasync();
    this.#saveState(this.bytes);
  }

  #saveState(bytesSafe: number): void {
    this.#bytesSafe = bytesSafe;
    this.#hasState = true;
    writeFileAtomic(
      join(this.#folder, 'state.json'),
      JSON.stringify({ seen: this.seen, bytesSafe, checksum: this.#checksum } satisfies State),
    );
  }

  /** Reads the bytes that are certain, to hash them; the rest is cut off. */
  async #load(): Promise<void> {
    const text = readIfThere(join(this.#folder, 'state.json'));
    const state = parseState(text);
    this.#hasState = text !== undefined;
    const size = (await this.#handle.stat()).size;
    const keep = state && state.bytesSafe <= size ? state.bytesSafe : 0;
    if (size > keep) await this.#handle.truncate(keep);
    if (!state || keep === 0) return;
    this.seen = state.seen;
    this.#bytesSafe = keep;
    const block = Buffer.allocUnsafe(1024 * 1024);
    while (this.bytes < keep) {
      const { bytesRead } = await this.#handle.read(block, 0, block.length, this.bytes);
      if (bytesRead === 0) break;
      this.#hash(block.subarray(0, bytesRead));
    }
    if (this.#checksum !== state.checksum) await this.restart({});
  }

  #hash(bytes: Uint8Array): void {
    this.#blake3.update(bytes);
    if (this.#options.sha256) this.#sha256.update(bytes);
    this.#checksum = crc32(bytes, this.#checksum);
    this.bytes += bytes.length;
  }
}

function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

/** Whether nobody writes a folder of this name any more: put down, or its process on this machine is gone. */
function isLeft(owner: string): boolean {
  if (owner === 'rest') return true;
  const [where, id, born] = owner.split('-');
  if (where !== host || born === life) return false;
  return Number(id) === process.pid || !isAlive(Number(id));
}

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function parseState(bytes: Buffer | undefined): State | undefined {
  try {
    const state = bytes && (JSON.parse(bytes.toString('utf8')) as Partial<State> | null);
    return typeof state?.bytesSafe === 'number' && state.seen instanceof Object ? (state as State) : undefined;
  } catch {
    return undefined;
  }
}
