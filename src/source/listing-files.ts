import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { namesIfThere, readIfThere, writeFileAtomic } from '../base/files.ts';
import { Listing } from './listing.ts';

const nameOf = (digest: Digest): string => `${digest.slice(0, 32)}.txt`;

/** Listings in a folder, each in a file that is named by its digest. */
export class ListingFiles {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Those that the lock names lie beside it, and belong into git as it does. */
  static beside(lockFile: string): ListingFiles {
    return new ListingFiles(`${lockFile}.d`);
  }

  has(digest: Digest): boolean {
    return existsSync(join(this.folder, nameOf(digest)));
  }

  /** @returns undefined if there is no such file, or if it is not the listing that its name says. */
  read(digest: Digest): Listing | undefined {
    const text = readIfThere(join(this.folder, nameOf(digest)))?.toString('utf8');
    const listing = text === undefined ? undefined : Listing.decode(text);
    return listing?.digest === digest ? listing : undefined;
  }

  /** @throws {BuildError} `bad-lock` where `read` gives nothing. */
  readWhole(digest: Digest): Listing {
    const listing = this.read(digest);
    if (listing) return listing;
    throw new BuildError('bad-lock', {
      message: 'this is not the listing that dsbuild.lock names: it was edited, or a merge mixed two of them',
      where: join(this.folder, nameOf(digest)),
      hint: 'Take it from the commit that dsbuild.lock is from, or remove it: it is made again if the bucket still holds the same.',
    });
  }

  /** To be written before the lock names it: a crash in between leaves a file that nothing names. */
  write(listing: Listing, address: string): void {
    writeFileAtomic(join(this.folder, nameOf(listing.digest)), listing.encode(address));
  }

  /** Removes those that nothing names any more. */
  keepOnly(digests: readonly Digest[]): void {
    const kept = new Set(digests.map(nameOf));
    const names = namesIfThere(this.folder);
    const left = names.filter((name) => kept.has(name) || !/^[0-9a-f]{32}\.txt$/.test(name));
    for (const name of names) if (!left.includes(name)) rmSync(join(this.folder, name), { force: true });
    if (names.length > 0 && left.length === 0) rmdirSync(this.folder);
  }
}
