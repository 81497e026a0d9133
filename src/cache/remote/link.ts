import type { RemoteState, RemoteSummary } from '../../base/events.ts';
import { type Bucket, S3Error } from '../../s3/bucket.ts';
import { Breaker } from './breaker.ts';

/** What is worth telling, at most once each. */
export interface RemoteTrouble {
  readonly code: 'remote-down' | 'remote-read-only' | 'remote-full';
  readonly message: string;
  readonly hint?: string;
}

/** What came of all that was asked for; see `RemoteSummary`. */
export type RemoteCounts = Pick<RemoteSummary, 'hits' | 'misses' | 'failures' | 'damaged' | 'untrusted'>;

export interface LinkOptions {
  readonly bucket: Bucket;
  readonly readOnly: boolean;
  readonly tell: (trouble: RemoteTrouble) => void;
  readonly breaker?: Breaker;
}

/** The way to a bucket that may fail in any way: what fails is counted and told, and is nothing, never an error. */
export class Link {
  readonly bucket: Bucket;
  readonly counts: RemoteCounts = { hits: 0, misses: 0, failures: 0, damaged: 0, untrusted: 0 };
  readonly #tell: LinkOptions['tell'];
  readonly #breaker: Breaker;
  #state: RemoteState;
  #isToldDown = false;
  #trouble: S3Error | undefined;

  constructor({ bucket, readOnly, tell, breaker }: LinkOptions) {
    this.bucket = bucket;
    this.#tell = tell;
    this.#breaker = breaker ?? new Breaker();
    this.#state = readOnly ? 'read-only' : 'ok';
  }

  get state(): RemoteState {
    return this.#breaker.isOpen ? 'down' : this.#state;
  }

  /** The first thing that the other side, the network or the rights did not do. */
  get trouble(): S3Error | undefined {
    return this.#trouble;
  }

  get mayWrite(): boolean {
    return this.#state === 'ok';
  }

  /** Asks the remote, if it answers at all. Undefined when it does not, or has nothing. */
  async ask<T>(work: (bucket: Bucket) => Promise<T>, wrongBytes?: () => void): Promise<T | undefined> {
    return this.#attempt(work, (trouble) => {
      if (trouble.kind !== 'wrong-bytes') return this.#failed(trouble);
      // It answers well enough; what it says is no use.
      this.counts.damaged++;
      wrongBytes?.();
    });
  }

  async write<T>(work: (bucket: Bucket) => Promise<T>): Promise<T | undefined> {
    if (!this.mayWrite) return undefined;
    return this.#attempt(work, (trouble) => {
      if (trouble.kind === 'denied') this.#endWriting('read-only', trouble);
      else if (trouble.kind === 'full') this.#endWriting('full', trouble);
      else if (trouble.kind !== 'wrong-bytes') this.#failed(trouble);
    });
  }

  async #attempt<T>(work: (bucket: Bucket) => Promise<T>, onTrouble: (trouble: S3Error) => void): Promise<T | undefined> {
    if (!this.#breaker.allows()) return undefined;
    try {
      const answer = await work(this.bucket);
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      const trouble = asTrouble(error);
      this.counts.failures++;
      this.#trouble ??= trouble;
      onTrouble(trouble);
      return undefined;
    }
  }

  #endWriting(state: 'read-only' | 'full', { message }: S3Error): void {
    if (!this.mayWrite) return;
    this.#state = state;
    const what = state === 'full' ? 'takes no more bytes' : 'may be read but not written with these credentials';
    this.#tell({ code: `remote-${state}`, message: `the remote cache ${what} (${message}): nothing more is uploaded` });
  }

  #failed({ kind, message, fault }: S3Error): void {
    if (!this.#breaker.failed(kind === 'timeout') || this.#isToldDown) return;
    this.#isToldDown = true;
    this.#tell({
      code: 'remote-down',
      message: `nothing can be had of the remote cache (${message}): dsbuild goes on without it`,
      ...(fault.hint !== undefined && { hint: fault.hint }),
    });
  }
}

/** Trouble of the other side; anything else (a full disk, an interruption, a mistake of ours) is not this class's to hide. */
function asTrouble(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  throw error;
}
