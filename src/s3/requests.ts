import type { Readable } from 'node:stream';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { parseS3Address } from './address.ts';
import { type Connection, connect, type Place } from './client.ts';
import { S3Error, s3Error } from './errors.ts';
import type { HttpTimes } from './http.ts';
import { Slots } from './slots.ts';
import { Tries, type TryTimes } from './tries.ts';

const MiB = 1024 * 1024;

/** What is waited for how long; the same for all requests. */
export interface Times extends TryTimes, HttpTimes {}

const defaultTimes: Times = {
  connectMs: 4000,
  answerMs: 5000,
  drainedBytesPerSecondMin: 256 * 1024,
  stallMs: 5000,
  bytesPerSecondMin: 16 * 1024,
  triesMax: 4,
  giveUpMs: 8000,
  pauseMs: 200,
  pauseMsMax: 4000,
};

export interface Sizes {
  readonly requestsMax: number;
  /** Bytes of bodies that are held in memory at once. */
  readonly heldBytesMax: number;
  /** Above it an object is sent in parts. */
  readonly wholeBytesMax: number;
  /** S3 takes parts of 5 MiB to 5 GiB, at most 10,000 of them. */
  readonly partBytes: number;
  /** An object of more than two of these is fetched in ranges of this size. */
  readonly rangeBytes: number;
  /** Parts and ranges of one object that are on their way at once. */
  readonly partsAtOnceMax: number;
}

const defaultSizes: Sizes = {
  requestsMax: 16,
  heldBytesMax: 64 * MiB,
  wholeBytesMax: 16 * MiB,
  partBytes: 8 * MiB,
  rangeBytes: 8 * MiB,
  partsAtOnceMax: 4,
};

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
  readonly etag?: string | undefined;
}

export interface OpenOptions {
  readonly span?: Span | undefined;
  /** All of it, and only of this content. */
  readonly etag?: string | undefined;
  /** Not as it is now, but as it was then. */
  readonly version?: string | undefined;
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

/** How a request is sent. */
export interface Sent {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout?: number;
}

/** How long it may take, and who may end it. */
export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** How much longer than usual an answer may take, where the server has much to do. */
  readonly moreMs?: number;
  /** The bucket's own signal does not end it: it cleans up. */
  readonly detached?: boolean;
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

  /** A request that waits for its slot, and is repeated while that may help. */
  call<T>(options: SendOptions, request: (connection: Connection, sent: Sent) => Promise<T>): Promise<T> {
    return this.slots.run({ requests: 1, bytes: 0 }, () => this.again(options, () => this.send(options, request)));
  }

  /** Repeats what may do better later. The caller holds a slot. */
  async again<T>(options: SendOptions, work: (tries: Tries) => Promise<T>): Promise<T> {
    for (const tries = new Tries(this.#times, this.signalOf(options)); ; this.counters.retries++) {
      try {
        return await work(tries);
      } catch (error) {
        await tries.after(error);
      }
    }
  }

  /** One request, counted, its errors in this layer's words. */
  async send<T>(options: SendOptions, request: (connection: Connection, sent: Sent) => Promise<T>): Promise<T> {
    const { moreMs } = options;
    const all = this.signalOf(options);
    all?.throwIfAborted();
    this.#connection ??= connect(this.#options, { times: this.#times, requestsMax: this.sizes.requestsMax });
    this.counters.requests++;
    try {
      return await request(await this.#connection, {
        ...(all && { abortSignal: all }),
        ...(moreMs && { requestTimeout: this.#times.answerMs + moreMs }),
      });
    } catch (error) {
      all?.throwIfAborted();
      throw this.#failed(error);
    }
  }

  /** One try to open an object. */
  async open(key: string, { span, etag = span?.etag, version, checksum, signal }: OpenOptions = {}): Promise<OpenObject> {
    const range = span && { Range: `bytes=${span.from}-${span.to === undefined ? '' : span.to - 1}` };
    const answer = await this.send({ signal }, ({ client, sdk }, sent) =>
      client.send(
        new sdk.GetObjectCommand({
          Bucket: this.bucket,
          Key: key,
          ...range,
          ...(etag !== undefined && { IfMatch: etag }),
          ...(version !== undefined && { VersionId: version }),
          ...(checksum && { ChecksumMode: 'ENABLED' }),
        }),
        sent,
      ),
    );
    return this.#opened(answer, this.signalOf({ signal }));
  }

  /** Ends idle connections. What is under way is ended by the signal. */
  close(): void {
    void this.#connection?.then(
      ({ client }) => client.destroy(),
      () => {},
    );
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
      body: this.#bodyOf(answer.Body as Readable, signal),
    };
  }

  async *#bodyOf(body: Readable, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
    const since = performance.now();
    const { stallMs, bytesPerSecondMin } = this.#times;
    let bytes = 0;
    try {
      for await (const piece of body as AsyncIterable<Uint8Array>) {
        bytes += piece.length;
        this.counters.bytesIn += piece.length;
        yield piece;
        if (performance.now() - since > stallMs + (bytes / bytesPerSecondMin) * 1000) throw tooSlow(bytesPerSecondMin);
      }
      signal?.throwIfAborted();
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#failed(error);
    }
  }

  #failed(error: unknown): S3Error {
    const fault = s3Error(error, this.bucket);
    if (fault.kind !== 'missing' && fault.kind !== 'conflict') this.counters.failures++;
    return fault;
  }

  /** What ends a request: the call's signal and the bucket's. */
  signalOf({ signal, detached }: SendOptions): AbortSignal | undefined {
    const own = detached ? undefined : this.#options.signal;
    return own && signal ? AbortSignal.any([own, signal]) : (own ?? signal);
  }
}

const tooSlow = (bytesPerSecondMin: number): S3Error =>
  new S3Error({ kind: 'timeout', message: `it came slower than ${Math.round(bytesPerSecondMin / 1024)} KiB/s`, again: true });
