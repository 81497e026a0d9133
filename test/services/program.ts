import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { skip } from '../skip.ts';

/**
 * Where a service's program is: `DSBUILD_<NAME>`, else what `test/services/install.sh` has built.
 *
 * @returns undefined if it is not there: said once, and counted as skipped; the caller returns.
 * @throws with `CI` set, where it must be there.
 */
export function findProgram(name: string): string | undefined {
  const program = installed(name);
  if (program !== undefined) return program;
  if (process.env['CI']) throw new Error(`no ${name}: run test/services/install.sh`);
  skip(`${name}: run test/services/install.sh`);
  return undefined;
}

/** The same for one that may be missing everywhere. */
export function installed(name: string): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const program = process.env[`DSBUILD_${name.toUpperCase()}`] ?? join(cache, 'dsbuild-tests', 'bin', name);
  return existsSync(program) ? program : undefined;
}

export interface Service {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  stop(): Promise<void>;
}

export interface Start {
  readonly program: string;
  readonly args: (at: { port: number; folder: string }) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A path that is answered with success when it is ready. */
  readonly healthPath: string;
}

/** Starts a program with an empty folder and a port of its own; it never outlives this process. */
export async function startService(start: Start): Promise<Service> {
  // Another program may take the port between the moment that it was free and this one's.
  for (let left = startsMax - 1; left > 0; left--) {
    const service = await startOnce(start).catch(() => undefined);
    if (service) return service;
  }
  return startOnce(start);
}

const startsMax = 3;
const readyWithinMs = 60_000;

async function startOnce({ program, args, env, healthPath }: Start): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'service-'));
  const port = await freePort();
  const log = openSync(join(folder, 'log'), 'w');
  const child = spawn(program, args({ port, folder }), {
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const kill = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', kill);
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await ended(child);
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(`${url}${healthPath}`, child);
  } catch (error) {
    const text = readFileSync(join(folder, 'log'), 'utf8');
    await stop();
    throw new Error(`${program} did not start: ${text}`, { cause: error });
  }
  return { url, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(readyWithinMs);
  while (!signal.aborted && child.exitCode === null && child.signalCode === null) {
    const ready = await fetch(url, { signal }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await pause(25);
  }
  throw new Error('no answer');
}

/** Below the ports that systems give to whoever asks for any: those would be handed out again at once. */
const ports = { from: 10_000, count: 20_000, perProcess: 10 } as const;
let portsTaken = 0;

/** A port that nobody listens on, and that no other process of tests tries first. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < ports.count; tries++) {
    const port = ports.from + ((process.pid * ports.perProcess + portsTaken++) % ports.count);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
