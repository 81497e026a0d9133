import type { Emit } from '../base/events.ts';

/** Somebody who is told what happens in a build. Told only: nothing that a reporter does changes the build. */
export interface Reporter {
  readonly emit: Emit;
  /** After the last event: writes what is left, and gives the terminal back. */
  close(): void;
}

/** Where a reporter writes; a stream, or a list in tests. */
export interface Output {
  write(text: string): unknown;
}

/** Time, handed in so that tests decide what it is. */
export interface Clock {
  /** Milliseconds from a fixed moment. */
  now(): number;
  /** Calls again and again; what it returns ends that. It keeps no process alive. */
  every(periodMs: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  every(periodMs, call) {
    const timer = setInterval(call, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Tells several reporters, in order. */
export function reportToAll(reporters: readonly Reporter[]): Reporter {
  return {
    emit: (event) => {
      for (const reporter of reporters) reporter.emit(event);
    },
    close: () => {
      for (const reporter of reporters) reporter.close();
    },
  };
}
