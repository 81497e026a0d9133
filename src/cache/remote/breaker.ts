export interface BreakerTimes {
  /** Failures in a row after which nothing is asked any more. */
  readonly failuresMax: number;
  /** After so long one request may try again; then after twice as long, and so on. */
  readonly probeMs: number;
}

const breakerTimes: BreakerTimes = { failuresMax: 3, probeMs: 30_000 };

/**
 * Stops asking a remote that does not answer: a build that asks for a hundred things would else wait a hundred times.
 * closed (asks) -> open (asks nothing) after failures in a row -> one probe now and then -> closed again when it succeeds.
 */
export class Breaker {
  readonly #times: BreakerTimes;
  readonly #now: () => number;
  #failures = 0;
  #probes = 0;
  #nextProbeAt = 0;

  constructor(times: Partial<BreakerTimes> = {}, now: () => number = () => performance.now()) {
    this.#times = { ...breakerTimes, ...times };
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#times.failuresMax;
  }

  /** Whether a request may be made. While it is open, a yes is the one probe of its time. */
  allows(): boolean {
    if (!this.isOpen) return true;
    if (this.#now() < this.#nextProbeAt) return false;
    this.#nextProbeAt = this.#now() + this.#pauseMs(++this.#probes);
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probes = 0;
  }

  /** @param isFinal no use trying at once what took so long. @returns whether this failure opened it. */
  failed(isFinal = false): boolean {
    const wasOpen = this.isOpen;
    this.#failures += isFinal ? this.#times.failuresMax : 1;
    if (wasOpen || !this.isOpen) return false;
    this.#nextProbeAt = this.#now() + this.#pauseMs(0);
    return true;
  }

  #pauseMs(probes: number): number {
    return this.#times.probeMs * 2 ** probes;
  }
}
