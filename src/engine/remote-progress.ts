import type { BuildEvent, Emit } from '../base/events.ts';

const everyMs = 500;

type Progress = Omit<Extract<BuildEvent, { type: 'remote-progress' }>, 'type'>;

/** Tells now and then how far transfers are. @returns a function that ends it. */
export function reportEvery(emit: Emit, progress: () => Progress): () => void {
  let isShown = false;
  const tell = (now: Progress): void => {
    const isMoving = now.done < now.total;
    // Whoever shows it is told when it is over.
    if (isMoving || isShown) emit({ type: 'remote-progress', ...now });
    isShown = isMoving;
  };
  const timer = setInterval(() => tell(progress()), everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    const last = progress();
    tell({ ...last, done: last.total });
  };
}

/** Tells how far it is with what a build waits for; what is there within half a second is not worth telling. */
export class Asking {
  readonly #endReport: () => void;
  readonly #bytesIn: () => number;
  #asked = 0;
  #answered = 0;
  #startBytes = 0;

  constructor(emit: Emit, bytesIn: () => number) {
    this.#bytesIn = bytesIn;
    this.#endReport = reportEvery(emit, () => this.#progress());
  }

  begin(): void {
    // What is asked for when nothing is under way is another wait.
    if (this.#asked === this.#answered) [this.#asked, this.#answered, this.#startBytes] = [0, 0, this.#bytesIn()];
    this.#asked++;
  }

  end(): void {
    this.#answered++;
  }

  close(): void {
    this.#endReport();
  }

  #progress(): Progress {
    return { way: 'down', done: this.#answered, total: this.#asked, bytes: this.#bytesIn() - this.#startBytes };
  }
}
