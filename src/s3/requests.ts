import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { parseS3Address } from './address.ts';
import { type Connection, connect, type Place } from './client.ts';
import { s3Error } from './errors.ts';
import { Slots } from './slots.ts';
import { Tries, type TryTimes } from './tries.ts';

const MiB = 1024 * 1024;

/** What is waited for how long; the same for all requests. */
export interface Times extends TryTimes {
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly stallMs: number;
}

const defaultTimes: Times = { connectMs: 4000, stallMs: 5000, triesMax: 4, giveUpMs: 8000, pauseMs: 200, pauseMsMax: 4000 };

export interface Sizes {
  readonly requestsMax: number;
  /** Bytes of bodies that are held in memory at once. */
  readonly heldBytesMax: number;
  /** Above it an object travels in parts. */
  readonly wholeBytesMax: number;
  readonly partBytes: number;
}

const defaultSizes: Sizes = { requestsMax: 16, heldBytesMax: 64 * MiB, wholeBytesMax: 16 * MiB, partBytes: 8 * MiB };

export interface BucketOptions extends Place {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  readonly address: string;
  /** Ends all that is under way. */
  readonly signal?: AbortSignal | undefined;
  readonly times?: Partial<Times> | undefined;
  readonly sizes?: Partial<Sizes> | undefined;
}

export interface Span {
  readonly from: number;
  /** The byte behind the last; without it to the end. */
  readonly to?: number;
  /** Only of this content. */
  readonly etag: string | undefined;
}

export interface OpenOptions {
  readonly span?: Span | undefined;
  /** All of it, and only of this content. */
  readonly etag?: string | undefined;
  /** Hold the whole object against the checksum that the server has of it, if it has one. */
  readonly checksum?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** An object whose body is about to be read, once, by who asked for it. */
export interface OpenObject {
  readonly etag: string;
  /** As HTTP writes it. */
  readonly lastModified?: string;
  /** The server's name for this very content, if it keeps several. */
  readonly version?: string;
  /** Of the whole object. */
  readonly bytesTotal?: number;
  /** Whether the body is the span that was asked for, and not all. */
  readonly partial: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Counters {
  requests: number;
  bytesIn: number;
  bytesOut: number;
  retries: number;
  failures: number;
}

/** The requests of one bucket: one client, one semaphore, one set of counters; keys are whole. */
export class Requests {
  readonly counters: Counters = { requests: 0, bytesIn: 0, bytesOut: 0, retries: 0, failures: 0 };
  readonly bucket: string;
  readonly sizes: Sizes;
  readonly slots: Slots;
  readonly #times: Times;
  readonly #options: BucketOptions;
  #connection: Promise<Connection> | undefined;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.bucket = parseS3Address(options.address).bucket;
    this.#times = { ...defaultTimes, ...options.times };
    this.sizes = { ...defaultSizes, ...options.sizes };
    this.slots = new Slots({ requests: this.sizes.requestsMax, bytes: this.sizes.heldBytesMax });
  }

  /** One try to open an object, for who reads it in its own way. The caller holds the request's slot as long as it reads. */
  async open(key: string, { span, etag = span?.etag, checksum, signal }: OpenOptions = {}): Promise<OpenObject> {
    const range = span && { Range: `bytes=${span.from}-${span.to === undefined ? '' : span.to - 1}` };
    const answer = await this.send(signal, ({ client, sdk }, to) =>
      client.send(
        new sdk.GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          ...range,
          ...(etag !== undefined && { IfMatch: etag }),
          ...(checksum && { ChecksumMode: 'ENABLED' }),
        }),
        to,
      ),
    );
    return this.#opened(answer, signal);
  }

  #opened(answer: GetObjectCommandOutput, signal: AbortSignal | undefined): OpenObject {
    const partial = answer.ContentRange !== undefined;
    const total = partial ? /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] : answer.ContentLength;
    return {
      etag: answer.ETag ?? '',
      ...(answer.LastModified && { lastModified: answer.LastModified.toUTCString() }),
      ...(answer.VersionId && answer.VersionId !== 'null' && { version: answer.VersionId }),
      ...(total !== undefined && { bytesTotal: Number(total) }),
      partial,
      body: this.#bodyOf(answer.Body as Readable, this.#signals(signal)),
    };
  }

  async *#bodyOf(body: Readable, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
    const stop = (): void => void body.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      for await (const piece of body) {
        this.counters.bytesIn += (piece as Uint8Array).length;
        yield piece as Uint8Array;
      }
      signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      this.counters.failures++;
      throw s3Error(error, this.bucket);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Repeats what may do better later. */
  async again<T>(signal: AbortSignal | undefined, work: (tries: Tries) => Promise<T>): Promise<T> {
    for (const tries = new Tries(this.#times, this.#signals(signal)); ; this.counters.retries++) {
      try {
        return await work(tries);
      } catch (error) {
        await tries.after(error);
      }
    }
  }

  /** One request, counted, its errors in this layer's words. */
  async send<T>(
    signal: AbortSignal | undefined,
    request: (connection: Connection, to: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const all = this.#signals(signal);
    all?.throwIfAborted();
    this.#connection ??= connect(this.#options, this.#times);
    this.counters.requests++;
    try {
      return await request(await this.#connection, all ? { abortSignal: all } : {});
    } catch (error) {
      all?.throwIfAborted();
      const fault = s3Error(error, this.bucket);
      if (fault.kind !== 'missing' && fault.kind !== 'conflict') this.counters.failures++;
      throw fault;
    }
  }

  #signals(signal: AbortSignal | undefined): AbortSignal | undefined {
    const own = this.#options.signal;
    return own && signal ? AbortSignal.any([own, signal]) : (own ?? signal);
  }

  /** Ends idle connections. What is under way is ended by the signal. */
  close(): void {
    void this.#connection?.then(
      ({ client }) => client.destroy(),
      () => {},
    );
  }
}
