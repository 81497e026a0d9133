import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { BuildError, systemCodeOf } from '../../src/base/errors.ts';

export interface Program {
  /** The program and its arguments; no shell reads them. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder that it runs in. */
  readonly cwd: string;
  readonly timeoutSeconds?: number | undefined;
  readonly signal: AbortSignal;
  /** Takes secrets out of whatever is shown. */
  readonly redact: (text: string) => string;
}

export interface ProgramData {
  /** Written to its standard input, piece by piece, as fast as it reads. */
  readonly input: Iterable<Uint8Array>;
  /** Called with what it writes to its standard output. */
  readonly output: (bytes: Buffer) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const stderrBytesMax = 64 * 1024;
const stderrLinesShown = 20;

/**
 * Runs a program to its end, input and output flowing at the same time: neither side can block the other, whatever the program reads
 * or writes first. Holds one piece of each at a time. A program that ends well without reading all of its input is fine.
 *
 * It is the leader of a process group of its own, which is killed when the build is stopped, the time is over, or it fails.
 *
 * @throws {BuildError} `command-not-found`, `command-failed` (with the end of its standard error), `command-timeout`.
 */
export async function runProgram(program: Program, data: ProgramData): Promise<void> {
  program.signal.throwIfAborted();
  const running = await start(program);
  const { child } = running;
  try {
    const flows = [once(child, 'close'), feed(child, data.input), read(child, data.output)];
    const [stderr] = await Promise.all([tailOf(child.stderr), ...flows]);
    program.signal.throwIfAborted();
    if (running.timeIsOver) throw timedOut(program);
    if (child.exitCode !== 0) throw failed(program, { ended: endOf(child), stderr });
  } catch (error) {
    await running.kill();
    program.signal.throwIfAborted();
    if (running.timeIsOver) throw timedOut(program);
    throw isSpawnError(error) ? notStarted(program, error) : error;
  } finally {
    running.end();
  }
}

/** A started program, with what can end it before it ends by itself. */
class Running {
  readonly child: Child;
  timeIsOver = false;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => void this.kill();
  #isClosed = false;

  constructor(child: Child, { signal, timeoutSeconds }: Program) {
    this.child = child;
    this.#signal = signal;
    child.once('close', () => {
      this.#isClosed = true;
    });
    signal.addEventListener('abort', this.#onAbort);
    if (timeoutSeconds !== undefined) this.#timer = setTimeout(() => this.#expire(), timeoutSeconds * 1000);
  }

  /** Kills the program and its children, and waits until it is gone: its folder can be removed then. */
  async kill(): Promise<void> {
    const { child } = this;
    // Once all is closed the group's number may be another's.
    if (child.pid === undefined || this.#isClosed) return;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    killGroup(child.pid);
    for (const stream of child.stdio) stream?.destroy();
    await gone;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #expire(): void {
    this.timeIsOver = true;
    void this.kill();
  }
}

const startTriesMax = 50;
const startRetryMs = 10;

/**
 * A file that was just written can not be executed while any process has it open for writing, and a program that another thread starts
 * at that moment has, until it runs its own code: it is tried again.
 */
async function start(program: Program): Promise<Running> {
  const [file, ...args] = program.argv as [string, ...string[]];
  const { cwd, env } = program;
  const { spawn } = await import('node:child_process');
  for (let tries = 1; ; tries++) {
    try {
      return new Running(spawn(file, args, { cwd, env: { ...env }, detached: true, stdio: ['pipe', 'pipe', 'pipe'] }), program);
    } catch (error) {
      if (systemCodeOf(error) !== 'ETXTBSY' || tries === startTriesMax) throw error;
      await delay(startRetryMs);
    }
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (systemCodeOf(error) !== 'ESRCH') throw error;
  }
}

async function feed(child: Child, input: Iterable<Uint8Array>): Promise<void> {
  const { stdin } = child;
  const closed = new Promise<void>((resolve) => {
    // A program may end before it has read everything; whether that is well is told by its exit code.
    stdin.on('error', () => resolve());
    stdin.on('close', () => resolve());
  });
  for (const bytes of input) {
    if (stdin.destroyed || !stdin.writable) return;
    if (!stdin.write(bytes)) await Promise.race([once(stdin, 'drain').catch(() => {}), closed]);
  }
  stdin.end();
}

async function read({ stdout }: Child, output: (bytes: Buffer) => void): Promise<void> {
  for await (const bytes of stdout) output(bytes as Buffer);
}

async function tailOf(stderr: Readable): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const bytes of stderr) {
    tail = Buffer.concat([tail, bytes as Buffer]);
    if (tail.length > stderrBytesMax) tail = Buffer.from(tail.subarray(-stderrBytesMax));
  }
  return tail.toString('utf8');
}

const isSpawnError = (error: unknown): boolean => error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn');

const endOf = ({ exitCode, signalCode }: Child): string =>
  exitCode === null ? `was ended by ${signalCode}` : `ended with exit code ${exitCode}`;

const shownArgv = ({ argv, redact }: Program): string =>
  redact(argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' '));

function failed(program: Program, { ended, stderr }: { ended: string; stderr: string }): BuildError {
  const lines = program.redact(stderr).trimEnd().split('\n').slice(-stderrLinesShown).join('\n');
  return new BuildError('command-failed', {
    message: `${shownArgv(program)} ${ended}${lines === '' ? ', and wrote nothing to its standard error' : `; the end of its standard error:\n${lines}`}`,
    hint: 'It runs in an empty folder with the files that `tools` lists, and with the variables that `env` and `secrets` name.',
  });
}

function timedOut(program: Program): BuildError {
  return new BuildError('command-timeout', {
    message: `${shownArgv(program)} was still running after ${program.timeoutSeconds} s and was killed`,
    hint: 'Raise `timeoutSeconds`, or look for what the program waits for.',
  });
}

function notStarted(program: Program, cause: unknown): BuildError {
  const [file = ''] = program.argv;
  const code = systemCodeOf(cause);
  const shown = program.redact(file);
  if (code !== 'ENOENT') {
    const message = `"${shown}" could not be started: ${code ?? 'unknown reason'}`;
    return new BuildError('command-failed', {
      message,
      hint: 'Its file must be a program, or a script with an interpreter in its first line.',
      cause,
    });
  }
  const hint = file.includes('/')
    ? `List "${shown}" in \`tools\`; if it is a script, see that the interpreter in its first line is installed.`
    : 'Install it, or see that its folder is in PATH. A script of your own is run as `./name`, listed in `tools`.';
  return new BuildError('command-not-found', { message: `there is no program "${shown}"`, hint, cause });
}
