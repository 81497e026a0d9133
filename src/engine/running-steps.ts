/**
 * Tells of steps that run, of no more at once than there are workers. A worker is at its next step before what it made of the last is kept,
 * which is when a step is told to have ended: so the beginning of the next is told behind it.
 */
export class RunningSteps {
  readonly #max: number;
  readonly #told = new Set<number>();
  readonly #untold = new Map<number, () => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @param tell is called at once, or when one of those that run has ended; never for a step that failed before its turn came. */
  begins(id: number, tell: () => void): void {
    if (this.#told.size < this.#max) this.#tell(id, tell);
    else this.#untold.set(id, tell);
  }

  /** What a step made is kept. */
  finishes(id: number, tell: () => void): void {
    this.#untold.get(id)?.();
    this.fails(id, tell);
  }

  fails(id: number, tell: () => void): void {
    tell();
    this.#untold.delete(id);
    if (!this.#told.delete(id)) return;
    const next = this.#untold.entries().next().value;
    if (!next) return;
    this.#untold.delete(next[0]);
    this.#tell(...next);
  }

  #tell(id: number, tell: () => void): void {
    this.#told.add(id);
    tell();
  }
}
