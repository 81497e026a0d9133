import { createReadStream, lstatSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createHasher, type Digest, digestHex } from '../base/digest.ts';
import { type FileIdentity, identityOf, openFile, readIfThere, sameIdentity, writeFileAtomic } from '../base/files.ts';
import type { Finder } from '../cache/locations.ts';
import type { Location } from '../cache/store.ts';

/** One file that a build put into a folder of the user's. */
export interface PublishedFile {
  readonly name: string;
  readonly digest: Digest;
  readonly identity: FileIdentity;
}

const magic = 'dsbuild-published 1\n';
const identityBytes = 40;
const fileBytes = 32 + identityBytes;

/**
 * What dsbuild has published in one folder. Kept in columns, because there may be 100,000 files, and a build that has nothing to do compares each
 * with what lies there.
 */
export class Published implements Finder {
  readonly out: string;
  /** Digest of all that was to be published; '' while a change is under way. */
  readonly wanted: Digest;
  readonly #names: readonly string[];
  readonly #columns: Buffer;
  #byDigest: Map<Digest, number> | undefined;

  constructor({ out, wanted, names, columns }: { out: string; wanted: Digest; names: readonly string[]; columns: Buffer }) {
    this.out = out;
    this.wanted = wanted;
    this.#names = names;
    this.#columns = columns;
  }

  static of(out: string, wanted: Digest, files: readonly PublishedFile[]): Published {
    const columns = Buffer.alloc(files.length * fileBytes);
    files.forEach((file, i) => {
      columns.write(file.digest, i * fileBytes, 'hex');
      const { dev, ino, size, mtimeNs, ctimeNs } = file.identity;
      [dev, ino, size, mtimeNs, ctimeNs].forEach(
        (value, k) => void columns.writeBigInt64LE(BigInt.asIntN(64, value), i * fileBytes + 32 + k * 8),
      );
    });
    return new Published({ out, wanted, names: files.map((file) => file.name), columns });
  }

  get count(): number {
    return this.#names.length;
  }

  file(i: number): PublishedFile {
    const at = i * fileBytes;
    const read = (k: number): bigint => this.#columns.readBigInt64LE(at + 32 + k * 8);
    const identity = { dev: read(0), ino: read(1), size: read(2), mtimeNs: read(3), ctimeNs: read(4) };
    return { name: this.#names[i] as string, digest: this.#columns.toString('hex', at, at + 32), identity };
  }

  *files(): Generator<PublishedFile> {
    for (let i = 0; i < this.count; i++) yield this.file(i);
  }

  /** Places of the files that are missing or are not, by identity, the ones that were put there. */
  changed(): number[] {
    const changed: number[] = [];
    for (let i = 0; i < this.#names.length; i++) if (!this.#isUnchanged(i)) changed.push(i);
    return changed;
  }

  /** A published file is as good as one in the store, as long as nobody touched it. */
  locate(digest: Digest): Location | undefined {
    this.#byDigest ??= new Map(Array.from({ length: this.count }, (_, i) => [this.file(i).digest, i] as const));
    const i = this.#byDigest.get(digest);
    if (i === undefined || !this.#isUnchanged(i)) return undefined;
    const { name, identity } = this.file(i);
    return [{ path: join(this.out, name), offset: 0, length: Number(identity.size) }];
  }

  encode(): Buffer {
    const head = JSON.stringify({ wanted: this.wanted, names: this.#names });
    const body = Buffer.concat([Buffer.from(`${magic}${head}\n`), this.#columns]);
    return Buffer.concat([Buffer.from(digestHex(body), 'hex'), body]);
  }

  static decode(bytes: Buffer, out: string): Published | undefined {
    const body = bytes.subarray(32);
    if (body.toString('latin1', 0, magic.length) !== magic || digestHex(body) !== bytes.toString('hex', 0, 32)) return undefined;
    const end = body.indexOf(10, magic.length);
    const head = JSON.parse(body.toString('utf8', magic.length, end)) as { wanted: string; names: string[] };
    return new Published({ out, wanted: head.wanted, names: head.names, columns: body.subarray(end + 1) });
  }

  #isUnchanged(i: number): boolean {
    const stat = lstatSync(join(this.out, this.#names[i] as string), { bigint: true, throwIfNoEntry: false });
    if (!stat) return false;
    const at = i * fileBytes + 32;
    const same = (k: number, value: bigint): boolean => this.#columns.readBigInt64LE(at + k * 8) === BigInt.asIntN(64, value);
    return same(4, stat.ctimeNs) && same(3, stat.mtimeNs) && same(2, stat.size) && same(1, stat.ino) && same(0, stat.dev);
  }
}

/** Where it is kept what is known of a folder: by its path from the project, so that it is known when all of it was moved or carried elsewhere. */
export const recordOf = (stateDir: string, out: string, extension: 'bin' | 'journal'): string =>
  join(stateDir, 'published', `${digestHex(relative(dirname(stateDir), out)).slice(0, 32)}.${extension}`);

/** What was published in a folder; nothing, when that is not known. */
export function readPublished(stateDir: string, out: string): Published {
  const bytes = readIfThere(recordOf(stateDir, out, 'bin'));
  return (bytes && Published.decode(bytes, out)) ?? Published.of(out, '', []);
}

export function writePublished(stateDir: string, published: Published): void {
  writeFileAtomic(recordOf(stateDir, published.out, 'bin'), published.encode());
}

export interface HashedFile {
  readonly digest: Digest;
  readonly identity: FileIdentity;
}

/** The digest of a file as it lies there, with the identity it had before and after; undefined when there is none, or when it changes meanwhile. */
export async function hashFile(path: string): Promise<HashedFile | undefined> {
  const before = identityOf(path);
  if (!before) return undefined;
  const hasher = createHasher();
  for await (const piece of createReadStream(path, { fd: openFile(path), highWaterMark: 1024 * 1024 })) hasher.update(piece as Buffer);
  const after = identityOf(path);
  if (!after || !sameIdentity(before, after)) return undefined;
  return { digest: hasher.digest().toString('hex'), identity: after };
}
