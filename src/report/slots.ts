/** Places of running steps: that of a step that ended is given to one that starts, the first that is free. */
export class Slots {
  readonly #free: number[] = [];
  #count = 0;

  /** There are never more than steps that run at once. */
  take(): number {
    if (this.#free.length === 0) return this.#count++;
    const first = Math.min(...this.#free);
    this.#free.splice(this.#free.indexOf(first), 1);
    return first;
  }

  leave(slot: number): void {
    this.#free.push(slot);
  }
}
