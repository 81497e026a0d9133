/** How a file looks at a moment; undefined when it is gone. */
export interface Look {
  readonly size: number;
  /** Its last record is ended: by a newline, or because it has none. False as well for files of which that can not be told. */
  readonly isTerminated: boolean;
}

export interface SettlingTimes {
  /** Nothing happened to a file for so long: whoever wrote it is done, if its last record is ended. */
  readonly quietMs: number;
  /** The same for a file that ends in the middle of a record: its writer may be anywhere. */
  readonly unterminatedQuietMs: number;
  /** A file that is written to again and again is taken at a moment when its last record is ended. */
  readonly waitMsMax: number;
}

const settlingTimes: SettlingTimes = { quietMs: 100, unterminatedQuietMs: 1000, waitMsMax: 1000 };

interface Changed {
  readonly sinceMs: number;
  lastMs: number;
  size: number | undefined;
}

/**
 * Files that changed, until they may be read: a file that is still being written would give half a record. All are taken together,
 * because a build reads them all.
 */
export class Settling {
  readonly #look: (path: string) => Look | undefined;
  readonly #times: SettlingTimes;
  readonly #changed = new Map<string, Changed>();

  constructor(look: (path: string) => Look | undefined, times: SettlingTimes = settlingTimes) {
    this.#look = look;
    this.#times = times;
  }

  get isEmpty(): boolean {
    return this.#changed.size === 0;
  }

  note(path: string, nowMs: number): void {
    const changed = this.#changed.get(path);
    if (changed) changed.lastMs = nowMs;
    else this.#changed.set(path, { sinceMs: nowMs, lastMs: nowMs, size: undefined });
  }

  /** Takes all files that changed if they may all be read; else tells in how many milliseconds to ask again. */
  take(nowMs: number): { readonly paths: readonly string[] } | { readonly againInMs: number } {
    let againInMs = 0;
    for (const [path, changed] of this.#changed) againInMs = Math.max(againInMs, this.#wait(path, changed, nowMs));
    if (againInMs > 0) return { againInMs };
    const paths = [...this.#changed.keys()];
    this.#changed.clear();
    return { paths };
  }

  /** Milliseconds until the file has settled, if nothing happens to it meanwhile. */
  #wait(path: string, changed: Changed, nowMs: number): number {
    const { quietMs, unterminatedQuietMs, waitMsMax } = this.#times;
    const look = this.#look(path);
    if (look && changed.size !== undefined && look.size !== changed.size) changed.lastMs = nowMs;
    changed.size = look?.size;
    const quietFor = nowMs - changed.lastMs;
    if (look && !look.isTerminated) return unterminatedQuietMs - quietFor;
    if (nowMs - changed.sinceMs >= waitMsMax) return 0;
    return quietMs - quietFor;
  }
}
