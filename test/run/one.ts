import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Heard, reportOf } from './judge.ts';
import type { FileReport, Message } from './protocol.ts';

export interface RunOptions {
  /** Shown name of the file. */
  name: string;
  limitMs: number;
  /** Time that a file may go on after its last test before what it left open is held against it. */
  graceMs: number;
  /** With `CI` set, `.only` and skips are failures. */
  ci: boolean;
}

const childFile = fileURLToPath(new URL('./child.ts', import.meta.url));
const loader = import.meta.resolve('tsx');

/** Groups of processes that run now; killed when the runner itself is interrupted. */
const running = new Set<number>();

/** The process and all that it started: a test's grandchildren must not outlive it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

export function killAll(): void {
  for (const pid of running) killGroup(pid);
}

/** `// time limit: 600 s` at the head of a file raises the limit for it. */
function limitOf(file: string, limitMs: number): number {
  const own = /^\/\/ time limit: (\d+) s\b/m.exec(readFileSync(file, 'utf8').slice(0, 500));
  return own ? Math.max(limitMs, Number(own[1]) * 1000) : limitMs;
}

/** A line that a killed process did not finish says nothing. */
function parsed(line: string): Message | undefined {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}

function hear(heard: Heard, message: Message): void {
  switch (message.type) {
    case 'test':
      heard.current = message.name;
      break;
    case 'fault':
      heard.faults.push(message.text);
      break;
    case 'skip':
      heard.skipReasons.push(`${message.reason} (${message.test})`);
      break;
    case 'drained':
      heard.drained = message;
      break;
  }
}

interface Clock {
  /** The last test has ended: from now on the process should end by itself. */
  drained(): void;
  stop(): void;
}

/** Ends the process, and says why, when it takes too long for its tests or to go away after them. */
function clock(heard: Heard, { limitMs, graceMs, kill }: { limitMs: number; graceMs: number; kill: () => void }): Clock {
  const after = (ms: number, fault: () => string): NodeJS.Timeout =>
    setTimeout(() => {
      heard.faults.push(fault());
      kill();
    }, ms);
  const timers = [after(limitMs, () => `not finished after ${limitMs / 1000} s, in: ${heard.current}`)];
  const left = `still alive ${graceMs / 1000} s after its last test: it left a timer, server, worker or child open`;
  return {
    drained: () => timers.push(after(graceMs, () => left)),
    stop: () => timers.forEach(clearTimeout),
  };
}

function collectOutput(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

const happened = (emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> =>
  new Promise((resolve) => emitter.once(event, (...given) => resolve(given)));

/** Reads the rest of the output, but does not wait for a daemon that left the group and holds it open. */
async function closeOutput(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([closed, delay(500, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

/** Runs one test file in a process of its own. Never rejects for what the file does. */
export async function runFile(file: string, options: RunOptions): Promise<FileReport> {
  const started = performance.now();
  const heard: Heard = { current: 'loading', faults: [], skipReasons: [] };
  const child = spawn(process.execPath, ['--import', loader, childFile, file], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  running.add(pid);
  const output = collectOutput(child);
  const time = clock(heard, { limitMs: limitOf(file, options.limitMs), graceMs: options.graceMs, kill: () => killGroup(pid) });
  const messages = child.stdio[3] as Readable;
  createInterface({ input: messages }).on('line', (line) => {
    const message = parsed(line);
    if (message) hear(heard, message);
    if (message?.type === 'drained') time.drained();
  });
  const closed = happened(child, 'close');
  const [[code, signal]] = await Promise.all([happened(child, 'exit'), happened(messages, 'close')]);
  time.stop();
  killGroup(pid);
  await closeOutput(child, closed);
  running.delete(pid);
  const outcome = reportOf({ heard, how: String(signal ?? code), ci: options.ci });
  return { ...outcome, name: options.name, output: output(), tookMs: performance.now() - started };
}
