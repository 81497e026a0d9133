import { parseS3Address } from './address.ts';
import { type Condition, conditionFailed, headersOf, type Written } from './condition.ts';
import { type Download, downloadTo } from './download.ts';
import { S3Error, s3Error, wrongBytes } from './errors.ts';
import { type BucketOptions, type Counters, type OpenObject, type OpenOptions, Requests } from './requests.ts';
import { collect, type Upload, uploadParts } from './upload.ts';

export type { Condition, Written } from './condition.ts';
export type { Download } from './download.ts';
export { S3Error, type S3Kind } from './errors.ts';
export type { BucketOptions, Counters, OpenObject } from './requests.ts';
export type { Upload } from './upload.ts';

const MiB = 1024 * 1024;

export interface Listed {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

export interface Got {
  readonly bytes: Buffer;
  readonly etag: string;
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
  async get(key: string, { signal, bytesMax = 64 * MiB }: CallOptions & { readonly bytesMax?: number } = {}): Promise<Got | undefined> {
    return this.#requests
      .again(signal, () => this.#requests.slots.run({ requests: 1, bytes: 0 }, () => this.#getOnce(key, { signal, bytesMax })))
      .catch(undefinedIfMissing);
  }

  async #getOnce(key: string, { signal, bytesMax }: { signal: AbortSignal | undefined; bytesMax: number }): Promise<Got> {
    const { etag, bytesTotal = 0, body } = await this.#requests.open(this.#prefix + key, { signal });
    const tooLong = (): S3Error => wrongBytes(`it has more than ${bytesMax} bytes`, etag);
    const pieces: Uint8Array[] = [];
    let left = bytesMax - (bytesTotal > bytesMax ? bytesTotal : 0);
    for await (const piece of body) {
      left -= piece.length;
      if (left < 0) throw tooLong();
      pieces.push(piece);
    }
    return { bytes: Buffer.concat(pieces), etag };
  }

  /** What is known of an object without its bytes. Undefined: there is none. */
  async head(key: string, { signal }: CallOptions = {}): Promise<Listed | undefined> {
    return this.#requests
      .again(signal, async () => {
        const answer = await this.#requests.send(signal, ({ client, sdk }, to) =>
          client.send(new sdk.HeadObjectCommand(this.#at(key)), to),
        );
        return {
          key,
          bytes: answer.ContentLength ?? 0,
          etag: answer.ETag ?? '',
          modified: answer.LastModified?.getTime() ?? 0,
        };
      })
      .catch(undefinedIfMissing);
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

  /** Writes a small object. Of two that write it at once with `absent`, one gets `written`. */
  put(key: string, bytes: Uint8Array, condition: Condition): Promise<Written> {
    return this.#requests.slots.run({ requests: 1, bytes: bytes.length }, () => this.#putHeld(key, bytes, condition));
  }

  async #putHeld(key: string, bytes: Uint8Array, condition: Condition): Promise<Written> {
    try {
      await this.#requests.again(undefined, () =>
        this.#requests.send(undefined, ({ client, sdk }, to) =>
          client.send(new sdk.PutObjectCommand({ ...this.#at(key), Body: bytes, ...headersOf(condition) }), to),
        ),
      );
    } catch (error) {
      if (condition !== 'any' && conditionFailed(error)) return 'exists';
      throw error;
    }
    this.#requests.counters.bytesOut += bytes.length;
    return 'written';
  }

  /**
   * Writes an object of any length, in parts side by side if it is large. It is completed only when BLAKE3 of all that was sent is
   * right; what was begun is taken back else.
   *
   * @throws {S3Error} `wrong-bytes` if the source gives others than it promised; what the source throws comes as it is.
   */
  async upload(key: string, source: () => AsyncIterable<Uint8Array>, how: Upload): Promise<Written> {
    if (how.bytes > this.#requests.sizes.wholeBytesMax) return uploadParts(this.#requests, { key: this.#prefix + key, source, how });
    const load = { requests: 1, bytes: how.bytes };
    return this.#requests.slots.run(load, async () => this.#putHeld(key, await collect(source, how), how.condition));
  }

  /** All objects whose keys begin with the prefix, in order of their keys' UTF-8, a page at a time. */
  async *list(prefix: string, { signal, after }: CallOptions & { readonly after?: string } = {}): AsyncGenerator<Listed, void> {
    let token: string | undefined;
    do {
      const page = await this.#requests.again(signal, () =>
        this.#requests.send(signal, ({ client, sdk }, to) =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: this.#requests.bucket,
              Prefix: this.#prefix + prefix,
              ...(token === undefined ? after !== undefined && { StartAfter: this.#prefix + after } : { ContinuationToken: token }),
            }),
            to,
          ),
        ),
      );
      for (const { Key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? []) {
        yield { key: Key.slice(this.#prefix.length), bytes: Size, etag: ETag, modified: LastModified?.getTime() ?? 0 };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Removes objects, a thousand with each request; those that are not there are no error. */
  async remove(keys: Iterable<string>, { signal }: CallOptions = {}): Promise<void> {
    const all = [...keys];
    for (let at = 0; at < all.length; at += 1000) {
      const Objects = all.slice(at, at + 1000).map((key) => ({ Key: this.#prefix + key }));
      await this.#requests.again(signal, async () => {
        const { Errors = [] } = await this.#requests.send(signal, ({ client, sdk }, to) =>
          client.send(new sdk.DeleteObjectsCommand({ Bucket: this.#requests.bucket, Delete: { Objects, Quiet: true } }), to),
        );
        const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey');
        if (first) throw refused(first.Code ?? '', Errors.length, this.#requests.bucket);
      });
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

const isMissing = (error: unknown): boolean => error instanceof S3Error && error.kind === 'missing';

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

const refused = (code: string, count: number, bucket: string): S3Error =>
  s3Error(
    Object.assign(new Error(`${count} objects were not removed`), {
      name: code,
      $metadata: { httpStatusCode: code === 'AccessDenied' ? 403 : 500 },
    }),
    bucket,
  );
