/** How much may be in flight at once: so many requests, and so many bytes that are held for them in memory. */
export interface Load {
  readonly requests: number;
  readonly bytes: number;
}

interface Waiting {
  readonly load: Load;
  readonly start: () => void;
}

/** One semaphore over requests and bytes; who waits longest is next, so that large ones are not starved. */
export class Slots {
  readonly #waiting: Waiting[] = [];
  readonly #max: Load;
  #requests = 0;
  #bytes = 0;

  constructor(max: Load) {
    this.#max = max;
  }

  /** Runs `work` when there is room for its load; one that is larger than all there is runs alone. */
  async run<T>(load: Load, work: () => Promise<T>): Promise<T> {
    await this.take(load);
    try {
      return await work();
    } finally {
      this.free(load);
    }
  }

  take(load: Load): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ load, start: resolve });
      this.#next();
    });
  }

  free(load: Load): void {
    this.#requests -= load.requests;
    this.#bytes -= load.bytes;
    this.#next();
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.load); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#requests += first.load.requests;
      this.#bytes += first.load.bytes;
      first.start();
    }
  }

  #fits({ requests, bytes }: Load): boolean {
    const { requests: requestsMax, bytes: bytesMax } = this.#max;
    return this.#requests + requests <= requestsMax && (bytes === 0 || this.#bytes === 0 || this.#bytes + bytes <= bytesMax);
  }
}
