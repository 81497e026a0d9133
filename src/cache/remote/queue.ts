interface Piece {
  readonly work: () => Promise<void>;
  readonly ended: () => void;
}

/** Work that is done beside something else, a few pieces at a time; it may be given up. */
export class Queue {
  readonly #atOnce: number;
  #waiting: Piece[] = [];
  #running = 0;
  #isOver = false;
  /** Pieces that were added, and that have ended. */
  added = 0;
  ended = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Runs a piece when it is its turn. It must wait for no other piece; what it throws is nobody's.
   *
   * @param first in front of all that waits.
   * @returns a promise that resolves when it has ended, or was given up.
   */
  add(work: () => Promise<void>, { first = false } = {}): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.added++;
    return new Promise((ended) => {
      if (first) this.#waiting.unshift({ work, ended });
      else this.#waiting.push({ work, ended });
      this.#next();
    });
  }

  /** What waits is not begun any more, nor anything that is still added. */
  giveUp(): void {
    this.#isOver = true;
    for (const { ended } of this.#waiting.splice(0)) ended();
  }

  #next(): void {
    while (this.#running < this.#atOnce) {
      const piece = this.#waiting.shift();
      if (!piece) return;
      this.#running++;
      const over = (): void => {
        this.#running--;
        this.ended++;
        piece.ended();
        this.#next();
      };
      piece.work().then(over, over);
    }
  }
}
