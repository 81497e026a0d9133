import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIfReadable, readIfThere, uniqueName } from '../base/files.ts';
import { type HolderTimes, holderTimes, isDead, keepYoung, self } from './holder.ts';

/** The times of files may lag behind the clock of processes by so much. */
const lagMsMax = 2000;

export interface OtherBuilds {
  /** What has a time from then on may be in use: infinite when no build lives. Milliseconds since 1970. */
  readonly youngMs: number;
  /** Builds that were killed since somebody last looked. */
  readonly crashed: number;
}

/** The builds that run in this folder, a file each: what they have used or written since they began is not to be collected. */
export class LiveBuilds {
  readonly #dir: string;
  readonly #times: HolderTimes;

  constructor(stateDir: string, times: HolderTimes = holderTimes) {
    this.#dir = join(stateDir, 'builds');
    this.#times = times;
  }

  /** Enters a build. @returns what takes it out again. */
  enter(beganMs: number): () => void {
    const name = uniqueName('build');
    const path = join(this.#dir, name);
    const text = JSON.stringify({ ...self, id: name, beganMs });
    try {
      mkdirSync(this.#dir, { recursive: true });
      // Whole when it appears: who finds half of one takes it for the rest of a crash.
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    } catch {
      // No room, or no right to write: what is collected meanwhile has to be made again.
      return () => {};
    }
    return keepYoung(path, text, this.#times);
  }

  /** Looks at those that live, and takes away those that are dead. */
  look(): OtherBuilds {
    let oldestMs = Number.POSITIVE_INFINITY;
    let crashed = 0;
    for (const name of this.#names()) {
      const path = join(this.#dir, name);
      const text = readIfThere(path)?.toString('utf8');
      if (text === undefined) continue;
      if (isDead(path, text, this.#times)) {
        rmSync(path, { force: true });
        crashed++;
      } else oldestMs = Math.min(oldestMs, (JSON.parse(text) as { beganMs: number }).beganMs);
    }
    return { youngMs: oldestMs - lagMsMax, crashed };
  }

  #names(): string[] {
    return namesIfReadable(this.#dir).filter((name) => /^build-[\w-]+$/.test(name));
  }
}
