import type { Digest } from '../../base/digest.ts';
import type { RemoteSummary } from '../../base/events.ts';
import type { Condition } from '../../s3/bucket.ts';
import {
  allPrefix,
  blobName,
  blobPrefix,
  packName,
  packPrefix,
  parseRemoteName,
  type RemoteObject,
  scopePrefix,
  targetName,
} from './layout.ts';
import { Link, type LinkOptions } from './link.ts';
import type { Signer } from './signing.ts';
import { decodeStepPack, encodeStepPack, isDamagedPack, type StepPack } from './step-pack.ts';
import { decodeTargetRecord, encodeTargetRecord, type TargetRecord } from './target-record.ts';
import type { Origin, Trust } from './trust.ts';
import { addUsage, type ScopeUsage } from './usage.ts';

/** Packs that are in memory at once: each holds a few MiB. */
const packsAtOnce = 4;
/** Up to so many blobs are asked for one by one; of more all names are listed. */
const headsMax = 200;

export interface RemoteOptions extends LinkOptions {
  readonly trust: Trust;
  readonly signer?: Signer | undefined;
}

/** An object of a scope. */
export interface RemoteListed {
  readonly name: string;
  readonly bytes: number;
  /** By the clock of the remote, in milliseconds since 1970. */
  readonly modified: number;
  readonly object: RemoteObject;
}

export type WithOrigin<T> = T & { readonly origin: Origin };

/** What became of a record that was to be written: `other`: one with other digests is there already, and stays. */
export type PutOutcome = 'written' | 'same' | 'other' | 'failed';

/**
 * The shared cache as builds see it: never an error, at worst nothing. What it gives is what was written there, by its digests and by
 * signatures where they are asked for.
 */
export class Remote {
  readonly #link: Link;
  readonly #options: RemoteOptions;
  /** ETags of records that can not be used: a writer that knows better replaces them. */
  readonly #spoilt = new Map<string, string>();
  /** Blobs that hold other bytes, and those that were looked for and are not there. */
  readonly #wrong = new Set<Digest>();
  readonly #missing = new Set<Digest>();

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#link = new Link(options);
  }

  get mayWrite(): boolean {
    return this.#link.mayWrite;
  }

  get trouble(): Link['trouble'] {
    return this.#link.trouble;
  }

  get summary(): RemoteSummary {
    const { state, counts, bucket } = this.#link;
    const { requests, bytesIn, bytesOut } = bucket.counters;
    return { state, requests, bytesIn, bytesOut, ...counts };
  }

  /** The record of a target, from the first scope that has one. */
  async target(key: Digest): Promise<WithOrigin<TargetRecord> | undefined> {
    for (const scope of this.#options.trust.scopes) {
      const found = await this.#record(targetName(scope, key), scope, (bytes) => decodeTargetRecord(bytes, key));
      if (found) return found;
    }
    return undefined;
  }

  /** The first scope that holds a record of this key, whatever it says. */
  async holder(key: Digest): Promise<string | undefined> {
    for (const scope of this.#options.trust.scopes) if (await this.#link.ask((bucket) => bucket.head(targetName(scope, key)))) return scope;
    return undefined;
  }

  /** Asks whether there is such a bucket, by a listing of nothing; what is wrong is counted as a failure. */
  async look(): Promise<void> {
    await this.#link.ask((bucket) => bucket.list(`${scopePrefix(this.scope)}.`).next());
  }

  /** All objects of all scopes; undefined when the remote does not say. */
  async usage(): Promise<ScopeUsage[] | undefined> {
    const scopes = new Map<string, ScopeUsage>();
    const isWhole = await this.#link.ask(async (bucket) => {
      for await (const { key, bytes } of bucket.list(allPrefix)) {
        const object = parseRemoteName(key);
        if (object) addUsage(scopes, object, bytes);
      }
      return true;
    });
    return isWhole ? [...scopes.values()] : undefined;
  }

  /** The scope that this remote writes. */
  get scope(): string {
    return this.#options.trust.scope;
  }

  /** All objects of its own scope; undefined when the remote does not say. */
  listed(): Promise<RemoteListed[] | undefined> {
    return this.#link.ask(async (bucket) => {
      const all: RemoteListed[] = [];
      for await (const { key: name, bytes, modified } of bucket.list(scopePrefix(this.scope))) {
        const object = parseRemoteName(name);
        if (object) all.push({ name, bytes, modified, object });
      }
      return all;
    });
  }

  /** @returns whether they are gone now. */
  async remove(names: readonly string[]): Promise<boolean> {
    if (names.length === 0) return true;
    return (await this.#link.write(async (bucket) => bucket.remove(names).then(() => true))) ?? false;
  }

  /** Names of all packs of a head; undefined when the remote does not say. */
  async packNames(head: Digest): Promise<string[] | undefined> {
    const lists = await Promise.all(this.#options.trust.scopes.map((scope) => this.#names(packPrefix(scope, head))));
    return lists.includes(undefined)
      ? undefined
      : lists.flatMap((names) => (names as string[]).filter((name) => parseRemoteName(name)?.kind === 'pack'));
  }

  /** The packs of these names that can be used. */
  async *packs(names: readonly string[]): AsyncGenerator<WithOrigin<StepPack> & { readonly name: string }> {
    for (let at = 0; at < names.length; at += packsAtOnce) {
      const some = names.slice(at, at + packsAtOnce).map((name) => this.#pack(name));
      for (const found of await Promise.all(some)) if (found) yield found;
    }
  }

  async #pack(name: string): Promise<(WithOrigin<StepPack> & { readonly name: string }) | undefined> {
    const object = parseRemoteName(name);
    if (object?.kind !== 'pack') return undefined;
    const { scope, pack } = object;
    const found = await this.#record(name, scope, (bytes) => decodeStepPack(bytes, pack));
    return found && { ...found, name };
  }

  /** Fetches a blob into a file. @param bytes its length, where that is known. @returns whether it is there now, whole. */
  async blob(digest: Digest, path: string, bytes?: number): Promise<boolean> {
    // Results come from main far more often than from a scope of one's own.
    for (const scope of [...this.#options.trust.scopes].reverse()) {
      const name = blobName(scope, digest);
      const length = bytes ?? (await this.#link.ask((bucket) => bucket.head(name)))?.bytes;
      if (length === undefined) continue;
      const there = await this.#link.ask(
        (bucket) => bucket.download(name, { path, digest, bytes: length }),
        () => this.#wrong.add(digest),
      );
      if (there) return this.#hit(true);
    }
    this.#link.counts.misses++;
    this.#missing.add(digest);
    return false;
  }

  /** Whether the remote turned out not to hold a blob, whatever was known of it. */
  isLost(digest: Digest): boolean {
    return this.#wrong.has(digest) || this.#missing.has(digest);
  }

  async putTarget(key: Digest, record: TargetRecord): Promise<PutOutcome> {
    const { trust, signer } = this.#options;
    const name = targetName(trust.scope, key);
    const bytes = encodeTargetRecord(key, record, signer);
    const outcome = await this.#link.write((bucket) => bucket.put(name, bytes, this.#condition(name)));
    if (outcome !== 'exists') return outcome ?? 'failed';
    const there = await this.#record(name, trust.scope, (found) => decodeTargetRecord(found, key));
    if (there) return digestsOf(there) === digestsOf(record) ? 'same' : 'other';
    const etag = this.#spoilt.get(name);
    const again = etag === undefined ? undefined : await this.#link.write((bucket) => bucket.put(name, bytes, { etag }));
    return again === 'written' ? 'written' : 'failed';
  }

  /** @returns the name that it has there, if it could be written. */
  async putPack(pack: string, content: StepPack): Promise<string | undefined> {
    const { trust, signer } = this.#options;
    const name = packName(trust.scope, pack);
    const bytes = encodeStepPack(pack, content, signer);
    return (await this.#link.write((bucket) => bucket.put(name, bytes, 'absent'))) === 'written' ? name : undefined;
  }

  /**
   * Empties packs that were damaged where they lie, so that nobody fetches them again: what was needed of them was made again, and lies in
   * others. Not those that came damaged once, are not believed, or hold what a newer dsbuild wrote.
   */
  async emptyDamagedPacks(): Promise<void> {
    const { trust, signer } = this.#options;
    for (const name of [...this.#spoilt.keys()]) {
      const object = parseRemoteName(name);
      if (object?.kind !== 'pack' || object.scope !== trust.scope || !this.mayWrite) continue;
      const there = await this.#link.ask((bucket) => bucket.get(name));
      if (!there || !isDamagedPack(there.bytes, object.pack)) continue;
      const empty = encodeStepPack(object.pack, { steps: new Map(), contents: new Map() }, signer);
      await this.#link.write((bucket) => bucket.put(name, empty, { etag: there.etag }));
    }
  }

  /** @returns whether the remote holds the blob now. What the source throws comes as it is. */
  async putBlob(digest: Digest, bytes: number, source: () => AsyncIterable<Uint8Array>): Promise<boolean> {
    const condition = this.#wrong.has(digest) ? 'any' : 'absent';
    const name = blobName(this.#options.trust.scope, digest);
    const outcome = await this.#link.write((bucket) => bucket.upload(name, source, { bytes, digest, condition }));
    if (outcome === undefined) return false;
    this.#missing.delete(digest);
    if (outcome === 'written') this.#wrong.delete(digest);
    return true;
  }

  /** Which of these blobs are there, in a scope that is read. What can not be told counts as there not being any. */
  async heldBlobs(digests: ReadonlySet<Digest>): Promise<Set<Digest>> {
    const held = new Set<Digest>();
    for (const scope of this.#options.trust.scopes) {
      if (digests.size > headsMax) {
        for (const name of (await this.#names(blobPrefix(scope))) ?? []) {
          const object = parseRemoteName(name);
          if (object?.kind === 'blob' && digests.has(object.digest)) held.add(object.digest);
        }
      } else {
        const asked = [...digests].filter((digest) => !held.has(digest));
        await Promise.all(
          asked.map(async (digest) => {
            if (await this.#link.ask((bucket) => bucket.head(blobName(scope, digest)))) held.add(digest);
          }),
        );
      }
    }
    for (const digest of this.#wrong) held.delete(digest);
    return held;
  }

  async #record<T extends object>(
    name: string,
    scope: string,
    decode: (bytes: Buffer) => (T & { signer: string | undefined }) | undefined,
  ): Promise<WithOrigin<T> | undefined> {
    const found = await this.#link.ask((bucket) => bucket.get(name));
    const record = found && decode(found.bytes);
    const believed = record !== undefined && this.#options.trust.accepts(record.signer);
    if (record && believed) {
      const { signer, ...rest } = record;
      return this.#hit({ ...(rest as unknown as T), origin: { scope, ...(signer !== undefined && { signer }) } });
    }
    this.#link.counts.misses++;
    if (found) {
      this.#spoilt.set(name, found.etag);
      if (record) this.#link.counts.untrusted++;
      else this.#link.counts.damaged++;
    }
    return undefined;
  }

  #hit<T>(found: T): T {
    this.#link.counts.hits++;
    return found;
  }

  #names(prefix: string): Promise<string[] | undefined> {
    return this.#link.ask(async (bucket) => {
      const all: string[] = [];
      for await (const { key } of bucket.list(prefix)) all.push(key);
      return all;
    });
  }

  #condition(name: string): Condition {
    const etag = this.#spoilt.get(name);
    return etag === undefined ? 'absent' : { etag };
  }
}

const digestsOf = ({ result }: TargetRecord): string =>
  JSON.stringify(
    Object.entries(result.outputs)
      .map(([output, { digest }]) => [output, digest])
      .sort(),
  );
