/** Somebody's wish that nothing new is started for a while. What runs comes to its end. */
export interface Pausing {
  readonly isPaused: boolean;
  /** Calls whenever the wish ends; what it returns takes the call back. */
  onResume(go: () => void): () => void;
}

/** A pause that is switched on and off by hand. It outlives a build: in watch mode the next one begins paused. */
export class Pause implements Pausing {
  #isPaused = false;
  readonly #waiting = new Set<() => void>();

  get isPaused(): boolean {
    return this.#isPaused;
  }

  toggle(): void {
    this.#isPaused = !this.#isPaused;
    if (!this.#isPaused) for (const go of [...this.#waiting]) go();
  }

  onResume(go: () => void): () => void {
    this.#waiting.add(go);
    return () => void this.#waiting.delete(go);
  }
}
