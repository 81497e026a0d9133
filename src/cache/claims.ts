import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { digestHex } from '../base/digest.ts';
import { systemCodeOf } from '../base/errors.ts';
import { readIfThere, uniqueName } from '../base/files.ts';
import { isProcessAlive } from '../base/host.ts';

/** Who holds a claim: enough to tell that it is dead, also after its process id was given to another. */
interface Holder {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly started: string;
}

const readProc = (path: string): string => readIfThere(path)?.toString('utf8') ?? '';

/** Start time of a process in ticks since boot, '' where the system does not tell. */
function startOf(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

const self: Holder = {
  host: hostname(),
  boot: readProc('/proc/sys/kernel/random/boot_id').trim(),
  pid: process.pid,
  started: startOf(process.pid),
};

function isAlive(holder: Holder): boolean {
  // Another host's processes can not be seen from here: its claims are believed.
  if (holder.host !== self.host) return true;
  if (holder.boot !== self.boot) return false;
  if (!isProcessAlive(holder.pid)) return false;
  return holder.started === startOf(holder.pid);
}

const retryMs = 100;

/**
 * Two builds in one folder share work: who builds a target holds its claim meanwhile, and the other waits, then finds the results there.
 * A claim is a file that exists; one whose process is dead is taken away by an atomic rename. There is nothing to unlock by hand.
 */
export class Claims {
  readonly #dir: string;

  constructor(stateDir: string) {
    this.#dir = join(stateDir, 'claims');
  }

  /** Waits for the claim. @returns whether somebody else held it meanwhile, and what releases it. */
  async take(name: string, signal: AbortSignal): Promise<{ waited: boolean; release: () => void }> {
    mkdirSync(this.#dir, { recursive: true });
    const path = join(this.#dir, digestHex(name).slice(0, 32));
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted();
      if (this.#tryTake(path)) return { waited, release: () => this.#release(path) };
      this.#heal(path);
      await this.#change(signal);
    }
  }

  /** A claim is whole when it appears: written under another name, then linked to its own, which fails when there is one. */
  #tryTake(path: string): boolean {
    const written = join(this.#dir, uniqueName('claim'));
    writeFileSync(written, JSON.stringify(self));
    try {
      linkSync(written, path);
      return true;
    } catch (error) {
      if (systemCodeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(written, { force: true });
    }
  }

  #release(path: string): void {
    if (readIfThere(path)?.toString('utf8') === JSON.stringify(self)) rmSync(path, { force: true });
  }

  /** Takes a dead holder's claim away. Of several who try, one rename succeeds. */
  #heal(path: string): void {
    const holder = parseHolder(readIfThere(path)?.toString('utf8'));
    if (!holder || isAlive(holder)) return;
    const aside = join(this.#dir, uniqueName('dead'));
    try {
      renameSync(path, aside);
    } catch {
      return;
    }
    // Between reading and renaming, another may have healed it and taken it: then it is given back.
    if (parseHolder(readFileSync(aside, 'utf8'))?.pid !== holder.pid) renameSync(aside, path);
    else rmSync(aside, { force: true });
  }

  /** Resolves when something changes among the claims, or after a while: not every file system tells. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        watcher?.close();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const timer = setTimeout(over, retryMs);
      const watcher = watchFolder(this.#dir, over);
      signal.addEventListener('abort', over, { once: true });
    });
  }
}

function watchFolder(dir: string, onChange: () => void): { close(): void } | undefined {
  try {
    return watch(dir, onChange).on('error', onChange);
  } catch {
    return undefined;
  }
}

function parseHolder(text: string | undefined): Holder | undefined {
  try {
    return text ? (JSON.parse(text) as Holder) : undefined;
  } catch {
    // Damaged, by a crash of the system: nobody's.
    return { ...self, pid: 0, started: 'never' };
  }
}
