import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a process and all its descendants took. */
export interface Measured {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Highest sum of resident memory over all of them, in 10^6 bytes. */
  readonly rssMb: number;
  readonly stdout: string;
}

export interface Command {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many cores it may use; all by default. */
  readonly cores?: number;
  /** It runs in a terminal of its own, of 100 columns and 30 rows. */
  readonly terminal?: boolean;
}

const script = fileURLToPath(new URL('../python/measure_tree.py', import.meta.url));
const inCheckout = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

/** What runs now, so that an interrupted bench takes it along. */
const running = new Set<number>();
const folders = new Set<string>();

/** Ends the process trees that are being measured, and removes what they left. */
export function endMeasured(): void {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

const python = existsSync(inCheckout) ? inCheckout : 'python3';

const argvOf = ({ command, cores = 0 }: Command, folder: string): string[] => [script, join(folder, 'report'), String(cores), ...command];

/** What it says is kept with all that moves the cursor. */
async function startInTerminal(given: Command, folder: string): Promise<number> {
  const { spawn: spawnInTerminal } = await import('node-pty');
  // Nothing of CI is handed on: programs would not take it for a terminal of somebody's.
  const { CI: _, GITHUB_ACTIONS: __, ...env } = { ...process.env, ...given.env };
  const child = spawnInTerminal(python, argvOf(given, folder), { cols: 100, rows: 30, name: 'xterm-256color', cwd: given.cwd, env });
  running.add(child.pid);
  let said = '';
  child.onData((text) => {
    said += text;
  });
  return new Promise((resolve) => {
    child.onExit(({ exitCode }) => {
      running.delete(child.pid);
      writeFileSync(join(folder, 'stdout'), said);
      writeFileSync(join(folder, 'stderr'), '');
      resolve(exitCode);
    });
  });
}

function start(given: Command, folder: string): Promise<number | null> {
  const { cwd, env } = given;
  const files = ['stdout', 'stderr'].map((name) => openSync(join(folder, name), 'w'));
  const child = spawn(python, argvOf(given, folder), {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', files[0], files[1]],
  });
  for (const file of files) closeSync(file);
  const pid = child.pid as number;
  running.add(pid);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(pid);
      resolve(code);
    });
  });
}

/**
 * Runs a command as a process of its own and measures its whole tree (test/python/measure_tree.py).
 *
 * @throws when it does not end with 0; the end of what it said is in the message.
 */
export async function measure(command: Command): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-bench-run-'));
  folders.add(folder);
  try {
    const code = await (command.terminal ? startInTerminal : start)(command, folder);
    const said = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const { status, ...figures } = code === 0 ? JSON.parse(said('report')) : { status: code };
    if (status !== 0)
      throw new Error(`${command.command.join(' ')} ended with ${status}: ${(said('stdout') + said('stderr')).slice(-2000)}`);
    return { ...figures, stdout: said('stdout') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** Medians of times, the highest memory; what the last one said. */
export function medianOf(all: readonly Measured[]): Measured {
  return {
    wallSeconds: median(all.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)),
    rssMb: Math.max(...all.map(({ rssMb }) => rssMb)),
    stdout: (all.at(-1) as Measured).stdout,
  };
}

export async function repeat(times: number, run: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  while (all.length < times) all.push(await run());
  return medianOf(all);
}
