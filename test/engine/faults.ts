/**
 * A disk that fails: from now on calls of `node:fs` below a folder throw what the system would, at a moment of the test's choosing.
 * Only in this process, so that it fits builds of the rig, whose steps run here as well.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export type FaultCode = 'EIO' | 'EACCES' | 'ENOSPC' | 'EROFS' | 'EMFILE';

export interface Fault {
  readonly code: FaultCode;
  /** Which of the calls that can fail in this way fails, counted from 0. */
  readonly at: number;
  /** Whether all later ones fail too, or this one alone. */
  readonly lasting: boolean;
  /** Absolute: calls for other files go well. */
  readonly below: string;
}

const opening = ['openSync', 'readFileSync', 'readdirSync', 'copyFileSync', 'writeFileSync', 'appendFileSync', 'open'] as const;
const looking = ['statSync', 'lstatSync', 'fstatSync', 'readSync', 'read'] as const;
const changing = ['mkdirSync', 'renameSync', 'linkSync', 'rmSync', 'copyFileSync', 'writeFileSync', 'appendFileSync', 'writeSync'] as const;
const names = [...new Set([...opening, ...looking, ...changing, 'fdatasyncSync' as const])];
type Name = (typeof names)[number];

/** What each failure can befall. Files that are opened to be read can be opened on a full disk. */
const befalls: Readonly<Record<FaultCode, readonly Name[]>> = {
  EIO: names,
  EACCES: [...opening, 'mkdirSync', 'renameSync', 'linkSync', 'rmSync'],
  ENOSPC: [
    'mkdirSync',
    'renameSync',
    'linkSync',
    'copyFileSync',
    'writeFileSync',
    'appendFileSync',
    'writeSync',
    'openSync',
    'fdatasyncSync',
  ],
  EROFS: [...changing, 'openSync'],
  EMFILE: opening,
};
const onlyWriting: readonly FaultCode[] = ['ENOSPC', 'EROFS'];

type Call = (...given: unknown[]) => unknown;
const calls = fs as unknown as Record<Name, Call>;

class Disk {
  readonly #fault: Fault;
  readonly #paths = new Map<unknown, string>();
  #left: number;
  /** What failed, as `writeSync <path>`. */
  readonly struck: string[] = [];

  constructor(fault: Fault) {
    this.#fault = fault;
    this.#left = fault.at;
  }

  call(name: Name, real: Call, given: unknown[]): unknown {
    const path = typeof given[0] === 'number' ? this.#paths.get(given[0]) : String(given[0]);
    if (path?.startsWith(this.#fault.below) && this.#strikes(name, given)) {
      this.struck.push(`${name} ${path}`);
      const error = systemError(this.#fault.code, name, path);
      const callback = given.at(-1);
      if (typeof callback !== 'function') throw error;
      return void process.nextTick(callback as (error: Error) => void, error);
    }
    if (name === 'open') return real(...given.slice(0, -1), this.#noting(String(path), given.at(-1) as Call));
    const found = real(...given);
    if (name === 'openSync' && path !== undefined) this.#paths.set(found, path);
    return found;
  }

  #noting(path: string, callback: Call): Call {
    return (error, fd) => {
      if (!error) this.#paths.set(fd, path);
      return callback(error, fd);
    };
  }

  #strikes(name: Name, given: readonly unknown[]): boolean {
    const { code, lasting } = this.#fault;
    if (!befalls[code].includes(name)) return false;
    if (name === 'openSync' && onlyWriting.includes(code) && (given[1] === undefined || given[1] === 'r')) return false;
    this.#left--;
    return this.#left === -1 || (lasting && this.#left < 0);
  }
}

const errnos: Readonly<Record<FaultCode, number>> = { EIO: -5, EACCES: -13, ENOSPC: -28, EROFS: -30, EMFILE: -24 };

/** As Node makes it. */
function systemError(code: FaultCode, name: Name, path: string): Error {
  const syscall = name.replace(/Sync$/, '').replace(/File$/, '');
  return Object.assign(new Error(`${code}: injected, ${syscall} '${path}'`), { code, errno: errnos[code], syscall, path });
}

/** The one disk that fails now. Node's own modules keep the functions that they find when they are loaded, so these stay where they are put. */
let failing: Disk | undefined;

function putInPlace(): void {
  for (const name of names) {
    const real = calls[name];
    calls[name] = (...given) => (failing ? failing.call(name, real, given) : real(...given));
  }
  syncBuiltinESMExports();
}
let inPlace = false;

/** Runs `work` on a disk that fails. @returns what it gave, and which calls failed. */
export async function withFault<T>(fault: Fault, work: () => Promise<T>): Promise<{ value: T; struck: readonly string[] }> {
  if (!inPlace) putInPlace();
  inPlace = true;
  const disk = new Disk(fault);
  failing = disk;
  try {
    return { value: await work(), struck: disk.struck };
  } finally {
    failing = undefined;
  }
}
