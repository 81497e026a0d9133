import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { digestHex } from '../base/digest.ts';
import { systemCodeOf } from '../base/errors.ts';
import { readIfThere, uniqueName } from '../base/files.ts';
import { type HolderTimes, holderTimes, isDead, keepYoung, self } from './holder.ts';

const retryMs = 100;

/**
 * Two builds in one folder share work: who builds a target holds its claim meanwhile, and the other waits, then finds the results there.
 * A claim is a file that exists; one whose process is dead is taken away by the next. There is nothing to unlock by hand.
 */
export class Claims {
  readonly #dir: string;
  readonly #times: HolderTimes;

  constructor(stateDir: string, times: HolderTimes = holderTimes) {
    this.#dir = join(stateDir, 'claims');
    this.#times = times;
  }

  /** Waits for the claim. @returns whether somebody else held it meanwhile, and what releases it. */
  async take(name: string, signal: AbortSignal): Promise<{ waited: boolean; release: () => void }> {
    const { path, text } = this.#claim(name);
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted();
      const release = this.#tryTake(path, text);
      if (release) return { waited, release };
      this.#heal(path);
      await this.#change(path, signal);
    }
  }

  /** Takes the claim if nobody holds it; waits for nothing. @returns what releases it. */
  takeNow(name: string): (() => void) | undefined {
    const { path, text } = this.#claim(name);
    this.#heal(path);
    return this.#tryTake(path, text);
  }

  #claim(name: string): { path: string; text: string } {
    mkdirSync(this.#dir, { recursive: true });
    return { path: join(this.#dir, digestHex(name).slice(0, 32)), text: JSON.stringify({ ...self, id: uniqueName('claim') }) };
  }

  /**
   * A claim is whole when it appears: written under another name, then linked to its own, which fails when there is one. It counts as held
   * from before that on: to others of this process it would be one that could not be removed.
   */
  #tryTake(path: string, text: string): (() => void) | undefined {
    const written = join(this.#dir, uniqueName('claim'));
    writeFileSync(written, text);
    const release = keepYoung(path, text, this.#times);
    try {
      linkSync(written, path);
      return release;
    } catch (error) {
      release();
      if (systemCodeOf(error) === 'EEXIST') return undefined;
      throw error;
    } finally {
      removeQuietly(written);
    }
  }

  /**
   * Takes a dead holder's claim away. Whoever does that holds another claim meanwhile, so that what was found dead can not be a living
   * one's by the time that it is removed.
   */
  #heal(path: string): void {
    if (!this.#isDead(path)) return;
    const healing = `${path}.healing`;
    const release = this.#tryTake(healing, JSON.stringify({ ...self, id: uniqueName('healing') }));
    if (!release) {
      this.#takeAside(healing);
      return;
    }
    try {
      if (this.#isDead(path)) rmSync(path, { force: true });
    } finally {
      release();
    }
  }

  /** For one who was killed while it healed. Of several who try, one rename succeeds; one that takes a living one's gives it back. */
  #takeAside(healing: string): void {
    const text = readIfThere(healing)?.toString('utf8');
    if (!isDead(healing, text, this.#times)) return;
    const aside = join(this.#dir, uniqueName('dead'));
    try {
      renameSync(healing, aside);
    } catch {
      return;
    }
    if (isText(aside, text)) removeQuietly(aside);
    else renameSync(aside, healing);
  }

  #isDead(path: string): boolean {
    return isDead(path, readIfThere(path)?.toString('utf8'), this.#times);
  }

  /** Resolves when this claim changes, or after a while: not every file system tells. */
  #change(path: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        watcher?.close();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, retryMs);
      const watcher = watchFile(path, over);
      signal.addEventListener('abort', over, { once: true });
    });
  }
}

/** What can not be read may be a living one's. */
function isText(path: string, text: string | undefined): boolean {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
}

/** It is in nobody's way; and an error here would leave a claim that is held with nobody to release it. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The garbage collection takes it away.
  }
}

/** Of its folder only what concerns this file: those who wait write there themselves, and would wake each other for ever. */
function watchFile(path: string, onChange: () => void): { close(): void } | undefined {
  try {
    return watch(dirname(path), (_, name) => {
      if (name === basename(path)) onChange();
    }).on('error', onChange);
  } catch {
    return undefined;
  }
}
