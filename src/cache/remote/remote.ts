import type { Digest } from '../../base/digest.ts';
import type { RemoteState, RemoteSummary } from '../../base/events.ts';
import { type Bucket, type Condition, S3Error } from '../../s3/bucket.ts';
import { Breaker } from './breaker.ts';
import { blobName, blobPrefix, packName, packPrefix, parseRemoteName, targetName } from './layout.ts';
import type { Signer } from './signing.ts';
import { decodeStepPack, encodeStepPack, type StepPack } from './step-pack.ts';
import { decodeTargetRecord, encodeTargetRecord, type TargetRecord } from './target-record.ts';
import type { Origin, Trust } from './trust.ts';

/** Packs that are in memory at once: each holds a few MiB. */
const packsAtOnce = 4;
/** Up to so many blobs are asked for one by one; of more all names are listed. */
const headsMax = 200;

/** What is worth telling, at most once each. */
export interface RemoteTrouble {
  readonly code: 'remote-down' | 'remote-read-only' | 'remote-full';
  readonly message: string;
  readonly hint?: string;
}

/** What came of all that was asked for; see `RemoteSummary`. */
export type RemoteCounts = Pick<RemoteSummary, 'hits' | 'misses' | 'failures' | 'damaged' | 'untrusted'>;

export interface RemoteOptions {
  readonly bucket: Bucket;
  readonly trust: Trust;
  readonly signer?: Signer | undefined;
  readonly readOnly: boolean;
  readonly tell: (trouble: RemoteTrouble) => void;
  readonly breaker?: Breaker;
}

export type WithOrigin<T> = T & { readonly origin: Origin };

/** What became of a record that was to be written: `other`: one with other digests is there already, and stays. */
export type PutOutcome = 'written' | 'same' | 'other' | 'failed';

/**
 * The shared cache as builds see it: never an error, at worst nothing. What it gives is what was written there, by its digests and by
 * signatures where they are asked for.
 */
export class Remote {
  readonly counts: RemoteCounts = { hits: 0, misses: 0, failures: 0, damaged: 0, untrusted: 0 };
  readonly #options: RemoteOptions;
  readonly #breaker: Breaker;
  /** ETags of records that can not be used: a writer that knows better replaces them. */
  readonly #spoilt = new Map<string, string>();
  /** Blobs that hold other bytes, and those that were looked for and are not there. */
  readonly #wrong = new Set<Digest>();
  readonly #missing = new Set<Digest>();
  #state: RemoteState;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#breaker = options.breaker ?? new Breaker();
    this.#state = options.readOnly ? 'read-only' : 'ok';
  }

  get state(): RemoteState {
    return this.#breaker.isOpen ? 'down' : this.#state;
  }

  get mayWrite(): boolean {
    return this.#state === 'ok';
  }

  get transfers(): Bucket['counters'] {
    return this.#options.bucket.counters;
  }

  /** The record of a target, from the first scope that has one. */
  async target(key: Digest): Promise<WithOrigin<TargetRecord> | undefined> {
    for (const scope of this.#options.trust.scopes) {
      const found = await this.#record(targetName(scope, key), scope, (bytes) => decodeTargetRecord(bytes, key));
      if (found) return found;
    }
    return undefined;
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
      const length = bytes ?? (await this.#ask((bucket) => bucket.head(name)))?.bytes;
      if (length === undefined) continue;
      const there = await this.#ask(
        (bucket) => bucket.download(name, { path, digest, bytes: length }),
        () => this.#wrong.add(digest),
      );
      if (there) return this.#hit(true);
    }
    this.counts.misses++;
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
    const outcome = await this.#write((bucket) => bucket.put(name, bytes, this.#condition(name)));
    if (outcome !== 'exists') return outcome ?? 'failed';
    const there = await this.#record(name, trust.scope, (found) => decodeTargetRecord(found, key));
    if (there) return digestsOf(there) === digestsOf(record) ? 'same' : 'other';
    const etag = this.#spoilt.get(name);
    const again = etag === undefined ? undefined : await this.#write((bucket) => bucket.put(name, bytes, { etag }));
    return again === 'written' ? 'written' : 'failed';
  }

  /** @returns the name that it has there, if it could be written. */
  async putPack(pack: string, content: StepPack): Promise<string | undefined> {
    const { trust, signer } = this.#options;
    const name = packName(trust.scope, pack);
    const bytes = encodeStepPack(pack, content, signer);
    return (await this.#write((bucket) => bucket.put(name, bytes, 'absent'))) === 'written' ? name : undefined;
  }

  /** @returns whether the remote holds the blob now. What the source throws comes as it is. */
  async putBlob(digest: Digest, bytes: number, source: () => AsyncIterable<Uint8Array>): Promise<boolean> {
    const condition = this.#wrong.has(digest) ? 'any' : 'absent';
    const name = blobName(this.#options.trust.scope, digest);
    const outcome = await this.#write((bucket) => bucket.upload(name, source, { bytes, digest, condition }));
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
            if (await this.#ask((bucket) => bucket.head(blobName(scope, digest)))) held.add(digest);
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
    const found = await this.#ask((bucket) => bucket.get(name));
    const record = found && decode(found.bytes);
    const believed = record !== undefined && this.#options.trust.accepts(record.signer);
    if (record && believed) {
      const { signer, ...rest } = record;
      return this.#hit({ ...(rest as unknown as T), origin: { scope, ...(signer !== undefined && { signer }) } });
    }
    this.counts.misses++;
    if (found) {
      this.#spoilt.set(name, found.etag);
      if (record) this.counts.untrusted++;
      else this.counts.damaged++;
    }
    return undefined;
  }

  #hit<T>(found: T): T {
    this.counts.hits++;
    return found;
  }

  #names(prefix: string): Promise<string[] | undefined> {
    return this.#ask(async (bucket) => {
      const all: string[] = [];
      for await (const { key } of bucket.list(prefix)) all.push(key);
      return all;
    });
  }

  #condition(name: string): Condition {
    const etag = this.#spoilt.get(name);
    return etag === undefined ? 'absent' : { etag };
  }

  /** Asks the remote, if it answers at all. Undefined when it does not, or has nothing. */
  async #ask<T>(work: (bucket: Bucket) => Promise<T>, wrongBytes?: () => void): Promise<T | undefined> {
    if (!this.#breaker.allows()) return undefined;
    try {
      const answer = await work(this.#options.bucket);
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      const trouble = asTrouble(error);
      this.counts.failures++;
      if (trouble.kind === 'wrong-bytes') {
        // It answers well enough; what it says is no use.
        this.counts.damaged++;
        wrongBytes?.();
      } else if (this.#breaker.failed()) this.#tellDown(trouble);
      return undefined;
    }
  }

  async #write<T>(work: (bucket: Bucket) => Promise<T>): Promise<T | undefined> {
    if (!this.mayWrite || !this.#breaker.allows()) return undefined;
    try {
      const answer = await work(this.#options.bucket);
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      const trouble = asTrouble(error);
      this.counts.failures++;
      if (trouble.kind === 'denied') this.#endWriting('read-only', trouble);
      else if (trouble.kind === 'full') this.#endWriting('full', trouble);
      else if (trouble.kind !== 'wrong-bytes' && this.#breaker.failed()) this.#tellDown(trouble);
      return undefined;
    }
  }

  #endWriting(state: 'read-only' | 'full', { message }: S3Error): void {
    if (!this.mayWrite) return;
    this.#state = state;
    const what = state === 'full' ? 'takes no more bytes' : 'may be read but not written with these credentials';
    this.#options.tell({ code: `remote-${state}`, message: `the remote cache ${what} (${message}): nothing more is uploaded` });
  }

  #tellDown({ message, fault }: S3Error): void {
    this.#options.tell({
      code: 'remote-down',
      message: `the remote cache does not answer (${message}): this build goes on without it`,
      ...(fault.hint !== undefined && { hint: fault.hint }),
    });
  }
}

/** Trouble of the other side; anything else (a full disk, an interruption, a mistake of ours) is not this class's to hide. */
function asTrouble(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  throw error;
}

const digestsOf = ({ result }: TargetRecord): string =>
  JSON.stringify(
    Object.entries(result.outputs)
      .map(([output, { digest }]) => [output, digest])
      .sort(),
  );
