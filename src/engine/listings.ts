import { join } from 'node:path';
import { formatBytes } from '../base/bytes.ts';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { Lock } from '../cache/lock.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import type { ObjectIdentity } from '../rule/source.ts';
import type { Listing } from '../source/listing.ts';
import { ListingFiles } from '../source/listing-files.ts';
import { parseObjectPattern } from '../source/object-pattern.ts';
import type { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import { remoteFiles } from './remote-files.ts';

export interface ListingRequest {
  /** `s3://bucket/folder/**\/*.jsonl` */
  readonly address: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly versions?: boolean | undefined;
}

/** What a pattern over objects stands for in this build. */
export interface PinnedListing {
  readonly digest: Digest;
  readonly objects: number;
  readonly bytes: number;
  /** Read when it is asked for: a build that has nothing to do needs the digest only. */
  listing(): Listing;
}

const pinnedBy = (listing: Listing): PinnedListing => ({
  digest: listing.digest,
  objects: listing.objects.length,
  bytes: listing.bytes,
  listing: () => listing,
});

/** What targets were built from, for `why` to say what has changed: git takes the lock's own files away. */
const builtFrom = (stateDir: string): ListingFiles => new ListingFiles(join(stateDir, 'sources', 'listings'));

/** The patterns over objects of one build: what they resolved to, and the files and entries of the lock that say so. */
export class Listings {
  readonly #run: BuildRun;
  readonly #files: ListingFiles;
  readonly #built: ListingFiles;
  readonly #resolving = new Map<string, Promise<PinnedListing>>();
  readonly #resolved = new Map<string, PinnedListing>();
  readonly #contents = new Map<string, Digest>();
  readonly #addresses = new Map<Digest, string>();
  #knowsLock = false;

  constructor(run: BuildRun) {
    this.#run = run;
    this.#files = ListingFiles.beside(run.project.lockFile);
    this.#built = builtFrom(run.project.stateDir);
  }

  get(address: string): PinnedListing | undefined {
    return this.#resolved.get(address);
  }

  /** Whether this build reads the object of this address, as one of those that a pattern stands for. */
  includes(address: string): boolean {
    return [...this.#resolved].some(([pattern, { listing }]) => {
      const { folder, matches } = parseObjectPattern(pattern);
      const name = address.slice(folder.length);
      return address.startsWith(folder) && matches(name) && listing().objects.some((object) => object.name === name);
    });
  }

  /** An object was seen to hold this. */
  note(address: string, content: Digest): void {
    this.#contents.set(address, content);
    this.#addresses.set(content, address);
  }

  /** What an object of a listing held when it was first fetched, if this build has met it. */
  contentOf(address: string): Digest | undefined {
    return this.#contents.get(address);
  }

  /** Address of the remote file that holds this. */
  addressOf(content: Digest): string | undefined {
    if (!this.#addresses.has(content) && !this.#knowsLock) {
      this.#knowsLock = true;
      for (const [address, digest] of remoteFiles(this.#run.lock, this.#files)) this.#addresses.set(digest, address);
    }
    return this.#addresses.get(content);
  }

  /**
   * What the lock says that a pattern resolved to; where it says nothing, what the bucket holds now, and the lock says so from then on.
   *
   * @throws {BuildError} `offline`, `listing-lost`, `lock-would-change`, and what `listObjects` throws.
   */
  resolve(request: ListingRequest): Promise<PinnedListing> {
    const { address } = request;
    let resolving = this.#resolving.get(address);
    if (!resolving) {
      resolving = this.#resolve(request);
      this.#resolving.set(address, resolving);
    }
    return resolving;
  }

  async #resolve(request: ListingRequest): Promise<PinnedListing> {
    const { address } = request;
    const { blake3, objects, bytes } = this.#run.lock.get('listing', address) ?? {};
    const pinned =
      blake3 === undefined
        ? await this.#pin(request)
        : this.#files.has(blake3)
          ? { digest: blake3, objects: Number(objects), bytes: Number(bytes), listing: () => this.#files.readWhole(blake3) }
          : await this.#restore(request, blake3);
    this.#resolved.set(address, pinned);
    return pinned;
  }

  async #pin(request: ListingRequest): Promise<PinnedListing> {
    const { lock, options } = this.#run;
    const { address } = request;
    const listing = await this.#list(request);
    const pinned = pinnedBy(listing);
    if (options.dryRun) return pinned;
    // Refused here if it may not change, before there is a file that nothing names.
    lock.add('listing', address, { blake3: pinned.digest, objects: String(pinned.objects), bytes: String(pinned.bytes) });
    this.#files.write(listing, address);
    lock.save();
    return pinned;
  }

  /** The lock's own file is gone: as long as the bucket is as it was, it can be made again, and its digest proves it. */
  async #restore(request: ListingRequest, digest: Digest): Promise<PinnedListing> {
    const listing = await this.#list(request);
    if (listing.digest !== digest) {
      throw new BuildError('listing-lost', {
        message: `the list of its objects is not in ${this.#files.folder}, and the bucket holds others now than those that dsbuild.lock names`,
        where: request.address,
        hint: 'Take the file from git (it belongs there, as dsbuild.lock does), or run `dsbuild update` to take what lies there now.',
      });
    }
    if (!this.#run.options.dryRun) this.#files.write(listing, request.address);
    return pinnedBy(listing);
  }

  async #list(request: ListingRequest): Promise<Listing> {
    const { options, project } = this.#run;
    if (options.offline) {
      throw new BuildError('offline', {
        message: 'these objects were not listed yet, and --offline is given',
        where: request.address,
        hint: 'Build once without --offline.',
      });
    }
    const { listObjects } = await import('../source/list-objects.ts');
    const listing = await listObjects({ ...request, env: project.env, signal: project.signal });
    const { objects, bytes } = listing;
    project.emit({ type: 'note', message: `${request.address}: ${objects.length} objects, ${formatBytes(bytes)}` });
    return listing;
  }

  /**
   * Notes what the objects that a plan fetched hold, so that no build anywhere takes other bytes for them.
   *
   * @throws {BuildError} `lock-conflict` if together they are not what the lock says.
   */
  pinContents(addresses: readonly string[], plan: PlanRun): void {
    if (addresses.length === 0) return;
    for (const [address, digest] of fetchedBy(plan)) this.note(address, digest);
    for (const address of addresses) {
      const before = this.#resolved.get(address)?.listing();
      if (before) this.#pinContents(address, before);
    }
  }

  #pinContents(address: string, before: Listing): void {
    const { lock, options } = this.#run;
    const { folder } = parseObjectPattern(address);
    const after = before.with((name) => this.#contents.get(folder + name));
    const { contents } = after;
    const isSaid = lock.get('contents', address) !== undefined;
    if (contents !== undefined && (isSaid || !options.locked)) lock.add('contents', address, { blake3: contents });
    if (!options.locked && after.known > before.known) this.#files.write(after, address);
    if (!this.#built.has(after.digest)) this.#built.write(after, address);
  }

  /** What an earlier build listed, if that is still there. */
  earlier(digest: Digest): Listing | undefined {
    return this.#files.read(digest) ?? this.#built.read(digest);
  }
}

function* fetchedBy({ steps }: PlanRun): Generator<readonly [address: string, digest: Digest]> {
  for (const { params, result } of steps) {
    const { address, object } = (params ?? {}) as { address?: string; object?: ObjectIdentity };
    const [part] = result?.parts ?? [];
    if (address !== undefined && object && part) yield [address, part.digest];
  }
}

/** Removes files of listings that the lock does not name any more. */
export function removeUnnamed({ lockFile, stateDir }: Pick<Project, 'lockFile' | 'stateDir'>, lock: Lock): void {
  const named = lock.entries().flatMap(({ kind, values }) => (kind === 'listing' && values.blake3 !== undefined ? [values.blake3] : []));
  for (const files of [ListingFiles.beside(lockFile), builtFrom(stateDir)]) files.keepOnly(named);
}
