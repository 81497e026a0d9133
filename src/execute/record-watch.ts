import type { RecordAt, RecordMark, Standing } from './record-mark.ts';

/** Records up to this size have the whole limit; larger ones in proportion. */
const bytesPerLimit = 1024 * 1024;

/** How long a record may be worked on without a sign of life. */
const allowedMs = (recordMsMax: number, { bytes }: RecordAt): number => recordMsMax * Math.max(1, bytes / bytesPerLimit);

/** A worker that has been at one record for too long. */
export interface Stuck<T> {
  readonly message: T;
  readonly at: RecordAt;
  readonly allowedMs: number;
}

interface Seen {
  readonly signs: number;
  readonly ms: number;
}

/**
 * Finds workers that do not come back from a record. What counts is time in which this thread could run as well: when the computer sleeps,
 * the program is stopped or this thread is held up, all of that lies between two looks, which count as one period. So a worker may be
 * found too late, never too early.
 */
export class RecordWatch<T extends { readonly mark: RecordMark; readonly recordMsMax: number }> {
  readonly #seen = new Map<T, Seen>();
  #lastMs = 0;

  get size(): number {
    return this.#seen.size;
  }

  add(message: T): void {
    this.#seen.set(message, { signs: -1, ms: 0 });
  }

  has(message: T): boolean {
    return this.#seen.has(message);
  }

  /** Whether it was watched. */
  delete(message: T): boolean {
    return this.#seen.delete(message);
  }

  /**
   * @param nowMs of a clock that never goes back.
   * @param periodMs after which it is meant to be called again.
   */
  look(nowMs: number, periodMs: number): Stuck<T>[] {
    const passedMs = Math.min(nowMs - this.#lastMs, periodMs);
    this.#lastMs = nowMs;
    return [...this.#seen.keys()].flatMap((message) => this.#lookAt(message, passedMs) ?? []);
  }

  #lookAt(message: T, passedMs: number): Stuck<T> | undefined {
    const { signs, at }: Standing = message.mark.read();
    const before = this.#seen.get(message) as Seen;
    const ms = at && signs === before.signs ? before.ms + passedMs : 0;
    this.#seen.set(message, { signs, ms });
    if (!at) return undefined;
    const allowed = allowedMs(message.recordMsMax, at);
    return ms >= allowed ? { message, at, allowedMs: allowed } : undefined;
  }
}
