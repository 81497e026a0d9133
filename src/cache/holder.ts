import { closeSync, lstatSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { readIfThere, uniqueName, writeAll } from '../base/files.ts';
import { isProcessAlive } from '../base/host.ts';

/** A process that holds something: enough to tell that it is dead, also after its process id was given to another. */
export interface Holder {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly started: string;
}

export interface HolderTimes {
  /** How often a holder shows that it is alive to machines (or containers) that can not see its process. */
  readonly beatMs: number;
  /** After so long without a sign, a holder on another machine is taken to be dead. */
  readonly silentMsMax: number;
}

export const holderTimes: HolderTimes = { beatMs: 10_000, silentMsMax: 120_000 };

const readProc = (path: string): string => readIfThere(path)?.toString('utf8') ?? '';

/** Start time of a process in ticks since boot, '' where the system does not tell. */
function startOf(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** This process. */
export const self: Holder = {
  host: hostname(),
  boot: readProc('/proc/sys/kernel/random/boot_id').trim(),
  pid: process.pid,
  started: startOf(process.pid),
};

/** What this process holds. A file of its own that is not among it was not to be removed when it was released. */
const heldHere = new Set<string>();

/** Whether a process of this machine is still there, and still holds what the text says. */
function isAlive(holder: Holder, text: string): boolean {
  if (holder.boot !== self.boot) return false;
  if (holder.pid === self.pid && holder.started === self.started) return heldHere.has(text);
  if (!isProcessAlive(holder.pid)) return false;
  return holder.started === startOf(holder.pid);
}

/** Whether the holder that the text of this file names is gone. A file that is not there has none. */
export function isDead(path: string, text: string | undefined, { silentMsMax }: HolderTimes): boolean {
  if (text === undefined) return false;
  const holder = parseHolder(text);
  return holder.host === self.host ? !isAlive(holder, text) : isSilent(path, silentMsMax);
}

/** Processes of other machines can not be seen from here. Both times are those of the file system, so that clocks need not agree. */
function isSilent(path: string, silentMsMax: number): boolean {
  const probe = join(dirname(path), uniqueName('now'));
  writeFileSync(probe, '');
  const now = lstatSync(probe).mtimeMs;
  rmSync(probe, { force: true });
  const sign = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return sign !== undefined && now - sign > silentMsMax;
}

/** Keeps the sign of life of this process young, until it is ended: then the file is removed. */
export function keepYoung(path: string, text: string, { beatMs }: HolderTimes): () => void {
  heldHere.add(text);
  const isOwn = (): boolean => readIfThere(path)?.toString('utf8') === text;
  const beat = setInterval(() => rewrite(path, text, isOwn), beatMs).unref();
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

/** Gives the file a new time of change, without a moment in which it is not whole. */
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

function parseHolder(text: string): Holder {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    // Damaged, by a crash of the system: nobody's.
    return { ...self, pid: 0, started: 'never' };
  }
}
