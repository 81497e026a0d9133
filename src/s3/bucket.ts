import type { Digest } from '../base/digest.ts';
import { parseS3Address } from './address.ts';
import type { Condition, Written } from './condition.ts';
import { digestOf } from './digest-of.ts';
import { type Download, downloadTo } from './download.ts';
import { S3Error } from './errors.ts';
import { type Got, getWhole } from './get.ts';
import { headOf } from './head.ts';
import { Pages } from './pages.ts';
import { type ByteSource, collect } from './promised.ts';
import { askedFirstBytesMin, putWhole } from './put.ts';
import { removeObjects } from './remove.ts';
import { type BucketOptions, type Counters, type OpenObject, type OpenOptions, Requests } from './requests.ts';
import { type Upload, uploadParts } from './upload.ts';

export type { Condition, Written } from './condition.ts';
export type { Download } from './download.ts';
export { S3Error, type S3Kind } from './errors.ts';
export type { Got } from './get.ts';
export type { BucketOptions, Counters, OpenObject } from './requests.ts';
export type { Upload } from './upload.ts';

const MiB = 1024 * 1024;

export interface Listed {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** The server's name for this very content; only where versions were asked for, of a bucket that keeps them. */
  readonly version?: string;
}

/** One object that was asked for by itself. */
export interface Head extends Listed {
  /** What it holds, as `upload` wrote beside it. */
  readonly digest?: Digest;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * A bucket behind a prefix. Keys are relative to the prefix. Every method throws `S3Error` for what the other side or the network did
 * after a few tries (a small object: about ten seconds when nothing answers), and the signal's reason as it is.
 * Nothing is loaded or asked before the first call.
 */
export class Bucket {
  readonly #requests: Requests;
  readonly #prefix: string;

  /** @throws {BuildError} `bad-address` */
  constructor(options: BucketOptions) {
    const { prefix } = parseS3Address(options.address);
    this.#prefix = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
    this.#requests = new Requests(options);
  }

  get counters(): Readonly<Counters> {
    return this.#requests.counters;
  }

  /** A small object, whole in memory. Undefined: there is none. One of more than `bytesMax` (64 MiB) is `wrong-bytes`. */
  get(key: string, { signal, bytesMax = 64 * MiB }: CallOptions & { readonly bytesMax?: number } = {}): Promise<Got | undefined> {
    const once = (): Promise<Got> => getWhole(this.#requests, { key: this.#prefix + key, signal, bytesMax });
    return this.#requests.slots.run(oneRequest, () => this.#requests.again({ signal }, once)).catch(undefinedIfMissing);
  }

  /** What is known of an object without its bytes. Undefined: there is none. */
  async head(key: string, { signal }: CallOptions = {}): Promise<Head | undefined> {
    const there = await headOf(this.#requests, this.#at(key), signal);
    if (!there) return undefined;
    const { digest, ...about } = there;
    return { key, ...about, ...(digest !== undefined && { digest }) };
  }

  /**
   * Fetches an object into a file, which is made or overwritten, and is gone again if that fails. Its last bytes are written only when
   * BLAKE3 of all of them is right.
   *
   * @returns false: there is no such object.
   * @throws {S3Error} `wrong-bytes` with the ETag of the object that has them. Errors of this machine's disk come as they are.
   */
  download(key: string, to: Download, { signal }: CallOptions = {}): Promise<boolean> {
    return downloadTo(this.#requests, { key: this.#prefix + key, to, signal });
  }

  /**
   * The digest of an object's bytes, which are read and not kept.
   *
   * @param etag of the object that is meant. @param came told how many bytes came, piece by piece.
   * @throws {S3Error} `missing`, `conflict` when another one lies there, `wrong-bytes` when its checksum says so.
   */
  digestOf(key: string, { etag, came, signal }: CallOptions & { readonly etag: string; came(bytes: number): void }): Promise<Digest> {
    return digestOf(this.#requests, { key: this.#prefix + key, etag, signal, came });
  }

  /** Writes a small object. Of two that write it at once with `absent`, one gets `written`. */
  async put(key: string, bytes: Uint8Array, condition: Condition): Promise<Written> {
    const held = { requests: 1, bytes: bytes.length };
    return wordOf(
      await this.#requests.slots.run(held, () => putWhole(this.#requests, { at: this.#at(key), bytes, condition, signal: undefined })),
    );
  }

  /**
   * Writes an object of any length, in parts side by side if it is large. It is completed only when BLAKE3 of all that was sent is
   * right; what was begun is taken back else. The digest is noted beside it, for `head`.
   *
   * @throws {S3Error} `wrong-bytes` if the source gives others than it promised; what the source throws comes as it is.
   */
  async upload(key: string, source: ByteSource, how: Upload): Promise<Written> {
    return wordOf(await this.write(key, source, how));
  }

  /** The same as `upload`. @returns the ETag of what was written; undefined where the condition did not hold. */
  async write(key: string, source: ByteSource, how: Upload): Promise<string | undefined> {
    const at = this.#at(key);
    // A large body is not sent for nothing.
    const inParts = how.bytes > this.#requests.sizes.wholeBytesMax;
    const isAsked = how.condition === 'absent' && (inParts || how.bytes >= askedFirstBytesMin);
    if (isAsked && (await headOf(this.#requests, at, how.signal))) return undefined;
    if (inParts) return uploadParts(this.#requests, { key: at.Key, source, how });
    const { condition, signal, digest } = how;
    return this.#requests.slots.run({ requests: 1, bytes: how.bytes }, async () =>
      putWhole(this.#requests, { at, bytes: await collect(source, how), condition, signal, digest }),
    );
  }

  /** All objects whose keys begin with the prefix, in order of their keys' UTF-8, a page at a time. */
  async *list(prefix: string, { signal, after }: CallOptions & { readonly after?: string } = {}): AsyncGenerator<Listed, void> {
    const Prefix = this.#prefix + prefix;
    const pages = new Pages(Prefix);
    let from: { StartAfter?: string; ContinuationToken?: string | undefined } =
      after === undefined ? {} : { StartAfter: this.#prefix + after };
    for (;;) {
      const about = { Bucket: this.#requests.bucket, Prefix, EncodingType: 'url' as const, ...from };
      const page = await this.#requests.call({ signal }, ({ client, sdk }, sent) => client.send(new sdk.ListObjectsV2Command(about), sent));
      for (const { Key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? []) {
        yield {
          key: pages.asked(plain(Key, page.EncodingType)).slice(this.#prefix.length),
          bytes: Size,
          etag: ETag,
          modified: LastModified?.getTime() ?? 0,
        };
      }
      if (!page.IsTruncated) return;
      pages.goOnAt(page.NextContinuationToken);
      from = { ContinuationToken: page.NextContinuationToken };
    }
  }

  /** The same with the version of each object as it is now; pages also hold what objects were before. */
  async *listVersions(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<Listed, void> {
    const Prefix = this.#prefix + prefix;
    const pages = new Pages(Prefix);
    let from: { KeyMarker?: string | undefined; VersionIdMarker?: string } = {};
    for (;;) {
      const about = { Bucket: this.#requests.bucket, Prefix, ...from };
      const page = await this.#requests.call({ signal }, ({ client, sdk }, sent) =>
        client.send(new sdk.ListObjectVersionsCommand(about), sent),
      );
      for (const { Key = '', Size = 0, ETag = '', LastModified, IsLatest, VersionId } of page.Versions ?? []) {
        if (!IsLatest) continue;
        const version = VersionId && VersionId !== 'null' ? { version: VersionId } : {};
        yield {
          key: pages.asked(Key).slice(this.#prefix.length),
          bytes: Size,
          etag: ETag,
          modified: LastModified?.getTime() ?? 0,
          ...version,
        };
      }
      if (!page.IsTruncated) return;
      pages.goOnAt(page.NextKeyMarker, page.NextVersionIdMarker);
      from = { KeyMarker: page.NextKeyMarker, ...(page.NextVersionIdMarker && { VersionIdMarker: page.NextVersionIdMarker }) };
    }
  }

  /** Removes objects, a thousand with each request; those that are not there are no error. */
  remove(keys: Iterable<string>, { signal }: CallOptions = {}): Promise<void> {
    return removeObjects(this.#requests, { keys: Array.from(keys, (key) => this.#prefix + key), signal });
  }

  /**
   * Takes back uploads in parts that were begun and never completed: a process that was killed leaves some.
   *
   * @param before begun earlier than that, in milliseconds since 1970: later ones may be under way.
   * @returns how many.
   */
  async removeUnfinished({ before, signal }: CallOptions & { readonly before: number }): Promise<number> {
    let count = 0;
    const pages = new Pages(this.#prefix);
    let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const about = { Bucket: this.#requests.bucket, Prefix: this.#prefix, ...from };
      const page = await this.#requests.call({ signal }, ({ client, sdk }, sent) =>
        client.send(new sdk.ListMultipartUploadsCommand(about), sent),
      );
      for (const { Key = '', UploadId, Initiated } of page.Uploads ?? []) {
        if ((Initiated?.getTime() ?? before) >= before) continue;
        const one = { Bucket: this.#requests.bucket, Key: pages.asked(Key), UploadId };
        await this.#requests
          .call({ signal }, ({ client, sdk }, sent) => client.send(new sdk.AbortMultipartUploadCommand(one), sent))
          .catch(undefinedIfMissing);
        count++;
      }
      if (!page.IsTruncated || page.NextKeyMarker === undefined) return count;
      pages.goOnAt(page.NextKeyMarker, page.NextUploadIdMarker);
      from = { KeyMarker: page.NextKeyMarker, ...(page.NextUploadIdMarker && { UploadIdMarker: page.NextUploadIdMarker }) };
    }
  }

  /** One try to open an object, for who reads it in its own way. */
  open(key: string, options: OpenOptions = {}): Promise<OpenObject> {
    return this.#requests.open(this.#prefix + key, options);
  }

  /** Ends idle connections. What is under way is ended by the signal. */
  close(): void {
    this.#requests.close();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#requests.bucket, Key: this.#prefix + key };
  }
}

const wordOf = (etag: string | undefined): Written => (etag === undefined ? 'exists' : 'written');

/** Not every server writes keys in the form that it was asked for; those that do say so. */
const plain = (key: string, encoding: string | undefined): string =>
  encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;

const isMissing = (error: unknown): boolean => error instanceof S3Error && error.kind === 'missing';

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

const oneRequest = { requests: 1, bytes: 0 };
