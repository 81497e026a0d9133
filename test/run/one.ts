import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
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

function hear(heard: Heard, message: Message, onDrained: () => void): void {
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
      onDrained();
      break;
  }
}

function collectOutput(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Ends when the process has ended and its messages are read; a grandchild that holds its output open is not waited for. */
async function ended(child: ChildProcess, messages: Readable): Promise<string> {
  const [how] = await Promise.all([
    new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? String(code)))),
    new Promise((resolve) => messages.once('close', resolve)),
  ]);
  await new Promise((resolve) => setImmediate(resolve));
  return how;
}

/** Runs one test file in a process of its own. Never rejects for what the file does. */
export async function runFile(file: string, options: RunOptions): Promise<FileReport> {
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', loader, childFile, file], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  running.add(pid);
  const heard: Heard = { current: 'loading', faults: [], skipReasons: [] };
  const stop = (fault: string): void => {
    heard.faults.push(fault);
    killGroup(pid);
  };
  const limitMs = limitOf(file, options.limitMs);
  const limit = setTimeout(() => stop(`not finished after ${limitMs / 1000} s, in: ${heard.current}`), limitMs);
  let grace: NodeJS.Timeout | undefined;
  const onDrained = (): void => {
    grace = setTimeout(
      () => stop(`still alive ${options.graceMs / 1000} s after its last test: it left a timer, server, worker or child open`),
      options.graceMs,
    );
  };
  const messages = child.stdio[3] as Readable;
  createInterface({ input: messages }).on('line', (line) => hear(heard, JSON.parse(line) as Message, onDrained));
  const output = collectOutput(child);
  const how = await ended(child, messages);
  clearTimeout(limit);
  clearTimeout(grace);
  killGroup(pid);
  running.delete(pid);
  return { ...reportOf({ heard, how, ci: options.ci }), name: options.name, output: output(), tookMs: performance.now() - started };
}
