import { type Cut, Cutter } from '../base/cut.ts';
import { createHasher, digestBytes } from '../base/digest.ts';
import type { FileIdentity } from '../base/files.ts';
import { readAt, readUnchanged } from './open.ts';

const newlineByte = 10;
const newlineBytes = Uint8Array.of(newlineByte);

/** A file that is too small for a chunk of its own: a record for the cut rule, by its length and digest. */
export interface SmallFile {
  readonly identity: FileIdentity;
  /** BLAKE3 of the file's bytes. */
  readonly digest: Uint8Array;
  readonly records: number;
  /** Whether it lacks the newline at the end of its last record. */
  readonly addNewline: boolean;
}

/** Consecutive small files that share a chunk, and the digest of their joined bytes. */
export interface SharedChunk<File extends SmallFile = SmallFile> {
  readonly files: readonly File[];
  readonly digest: Uint8Array;
}

/** The file's bytes in its chunk: its own, and a newline if it lacks one. */
export const completedBytes = (file: SmallFile): number => Number(file.identity.size) + (file.addNewline ? 1 : 0);

/** The first 32 bits of the file's digest. */
export const smallFileU = ({ digest }: SmallFile): number => new DataView(digest.buffer, digest.byteOffset).getUint32(0);

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newlineByte); at >= 0; at = bytes.indexOf(newlineByte, at + 1)) count++;
  return count;
}

/**
 * Reads a file that had less than `bytesMax` bytes when it was listed.
 *
 * @returns undefined if it has grown beyond that. @throws {BuildError} as `readUnchanged`.
 */
export async function readSmallFile(path: string, bytesMax: number): Promise<(SmallFile & { bytes: Uint8Array }) | undefined> {
  const { identity, value: bytes } = await readUnchanged(path, (file) => {
    if (file.size >= bytesMax) return undefined;
    const buffer = Buffer.allocUnsafe(file.size);
    return buffer.subarray(0, readAt(file, buffer, 0));
  });
  if (!bytes) return undefined;
  const addNewline = bytes.length > 0 && bytes.at(-1) !== newlineByte;
  return { identity, digest: digestBytes(bytes), records: countNewlines(bytes) + (addNewline ? 1 : 0), addNewline, bytes };
}

export interface SmallRunTools<File> {
  readonly target: number;
  /** The digest of an earlier chunk that was made of files with these digests. */
  known(fileDigests: readonly Uint8Array[]): Uint8Array | undefined;
  /** The bytes of a file that was not given with its bytes. */
  read(file: File): Promise<Uint8Array>;
}

/** A run of one group's small files, between big ones, cut into shared chunks. Holds no more bytes than an undecided chunk. */
export class SmallRun<File extends SmallFile> {
  readonly chunks: SharedChunk<File>[] = [];
  readonly #tools: SmallRunTools<File>;
  readonly #cutter: Cutter;
  readonly #held = new Map<File, Uint8Array>();
  #open: File[] = [];

  constructor(tools: SmallRunTools<File>) {
    this.#tools = tools;
    this.#cutter = new Cutter(tools.target);
  }

  /** Adds the next file, with its bytes if they were just read. An empty file is part of no chunk. */
  async add(file: File, bytes?: Uint8Array): Promise<void> {
    if (file.identity.size === 0n) return;
    this.#open.push(file);
    if (bytes) this.#held.set(file, bytes);
    this.#cutter.push(completedBytes(file), smallFileU(file));
    while (this.#cutter.ready) await this.#finish(this.#cutter.take());
  }

  async end(): Promise<void> {
    await this.#finish(this.#cutter.end());
  }

  async #finish(cut: Cut | undefined): Promise<void> {
    if (!cut) return;
    const files = this.#open.splice(0, cut.items);
    this.chunks.push({ files, digest: await this.#digest(files) });
    for (const file of files) this.#held.delete(file);
  }

  async #digest(files: readonly File[]): Promise<Uint8Array> {
    const [only] = files;
    if (only && files.length === 1 && !only.addNewline) return only.digest;
    return this.#tools.known(files.map((file) => file.digest)) ?? (await this.#hash(files));
  }

  async #hash(files: readonly File[]): Promise<Uint8Array> {
    const hasher = createHasher();
    for (const file of files) {
      hasher.update(this.#held.get(file) ?? (await this.#tools.read(file)));
      if (file.addNewline) hasher.update(newlineBytes);
    }
    return hasher.digest();
  }
}
