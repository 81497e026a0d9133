import { closeSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { digestHex } from '../base/digest.ts';
import { systemCodeOf } from '../base/errors.ts';
import { readIfThere, uniqueName, writeAll } from '../base/files.ts';
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

/** Claims that this process holds. One of its own that is not among them was not to be removed when it was released. */
const heldHere = new Set<string>();

/** Whether a process of this machine is still there, and still holds its claim. */
function isAlive(holder: Holder, text: string | undefined): boolean {
  if (holder.boot !== self.boot) return false;
  if (holder.pid === self.pid && holder.started === self.started) return heldHere.has(text ?? '');
  if (!isProcessAlive(holder.pid)) return false;
  return holder.started === startOf(holder.pid);
}

const retryMs = 100;

export interface ClaimTimes {
  /** How often a holder shows that it is alive to machines (or containers) that can not see its process. */
  readonly beatMs: number;
  /** After so long without a sign, a holder on another machine is taken to be dead. */
  readonly silentMsMax: number;
}

/**
 * Two builds in one folder share work: who builds a target holds its claim meanwhile, and the other waits, then finds the results there.
 * A claim is a file that exists; one whose process is dead is taken away by an atomic rename. There is nothing to unlock by hand.
 */
export class Claims {
  readonly #dir: string;
  readonly #times: ClaimTimes;

  constructor(stateDir: string, times: ClaimTimes = { beatMs: 10_000, silentMsMax: 120_000 }) {
    this.#dir = join(stateDir, 'claims');
    this.#times = times;
  }

  /** Waits for the claim. @returns whether somebody else held it meanwhile, and what releases it. */
  async take(name: string, signal: AbortSignal): Promise<{ waited: boolean; release: () => void }> {
    mkdirSync(this.#dir, { recursive: true });
    const path = join(this.#dir, digestHex(name).slice(0, 32));
    const text = JSON.stringify({ ...self, id: uniqueName('claim') });
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted();
      if (this.#tryTake(path, text)) return { waited, release: this.#held(path, text) };
      this.#heal(path);
      await this.#change(path, signal);
    }
  }

  /** A claim is whole when it appears: written under another name, then linked to its own, which fails when there is one. */
  #tryTake(path: string, text: string): boolean {
    const written = join(this.#dir, uniqueName('claim'));
    writeFileSync(written, text);
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

  /** Keeps a claim's sign of life young until it is released. */
  #held(path: string, text: string): () => void {
    heldHere.add(text);
    const isOwn = (): boolean => readIfThere(path)?.toString('utf8') === text;
    const beat = setInterval(() => rewrite(path, text, isOwn), this.#times.beatMs).unref();
    return () => {
      clearInterval(beat);
      heldHere.delete(text);
      try {
        if (isOwn()) rmSync(path, { force: true });
      } catch {
        // Whoever wants it next finds that nobody holds it.
      }
    };
  }

  /** Takes a dead holder's claim away. Of several who try, one rename succeeds. */
  #heal(path: string): void {
    const text = readIfThere(path)?.toString('utf8');
    const holder = parseHolder(text);
    if (!holder || (holder.host === self.host ? isAlive(holder, text) : !this.#isSilent(path))) return;
    const aside = join(this.#dir, uniqueName('dead'));
    try {
      renameSync(path, aside);
    } catch {
      return;
    }
    // Between reading and renaming, another may have healed it and taken it: then it is given back.
    if (readFileSync(aside, 'utf8') !== text) renameSync(aside, path);
    else rmSync(aside, { force: true });
  }

  /** Processes of other machines can not be seen from here. Both times are those of the file system, so that clocks need not agree. */
  #isSilent(path: string): boolean {
    const probe = join(this.#dir, uniqueName('now'));
    writeFileSync(probe, '');
    const now = lstatSync(probe).mtimeMs;
    rmSync(probe, { force: true });
    const sign = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return sign !== undefined && now - sign > this.#times.silentMsMax;
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

/** Gives a claim a new time of change, without a moment in which it is not whole. */
function rewrite(path: string, text: string, isOwn: () => boolean): void {
  try {
    if (!isOwn()) return;
    const fd = openSync(path, 'r+');
    writeAll(fd, Buffer.from(text));
    closeSync(fd);
  } catch {
    // Gone meanwhile, or the disk is full or fails: a missed sign of life is no reason to end a build.
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

function parseHolder(text: string | undefined): Holder | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Holder);
  } catch {
    // Damaged, by a crash of the system: nobody's.
    return { ...self, pid: 0, started: 'never' };
  }
}
