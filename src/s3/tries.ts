import { setTimeout as pause } from 'node:timers/promises';
import { S3Error } from './errors.ts';

export interface TryTimes {
  /** Tries without a byte in between. */
  readonly triesMax: number;
  /** No new try begins later than this after the last byte, however few there were. */
  readonly giveUpMs: number;
  /** The first pause is a random part of this, each further one of twice as much (full jitter). */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
}

/**
 * One request and its repetitions: `for (const tries = new Tries(...); ; ) try { return await ...; } catch (error) { await tries.after(error); }`.
 *
 * Source of the jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Tries {
  /** How many have failed since the last byte came or went. */
  failed = 0;
  readonly #times: TryTimes;
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(times: TryTimes, signal?: AbortSignal) {
    this.#times = times;
    this.#signal = signal;
  }

  /** Something came: a long way may have many bumps. */
  moved(): void {
    this.failed = 0;
    this.#since = performance.now();
  }

  /** Returns when the next try may begin; throws the signal's reason or the error where there is none. */
  async after(error: unknown): Promise<void> {
    this.#signal?.throwIfAborted();
    this.failed++;
    if (!(error instanceof S3Error) || !error.fault.again || this.failed >= this.#times.triesMax) throw error;
    const pauseMs = this.#pauseMs(error);
    if (performance.now() - this.#since + pauseMs > this.#times.giveUpMs) throw error;
    await pause(pauseMs, undefined, this.#signal && { signal: this.#signal }).catch((reason: unknown) => {
      this.#signal?.throwIfAborted();
      throw reason;
    });
  }

  #pauseMs({ kind, fault }: S3Error): number {
    const { pauseMs, pauseMsMax } = this.#times;
    const longest = Math.min(pauseMsMax, pauseMs * 2 ** (this.failed - 1 + (kind === 'throttled' ? 2 : 0)));
    return Math.max(Math.random() * longest, fault.pauseMs ?? 0);
  }
}
