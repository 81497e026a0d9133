/** The program in a real pseudo-terminal, and what a person sees in it. Tests wait for what stands on the screen, never for time. */
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';
import { type IPty, spawn } from 'node-pty';

const program = fileURLToPath(new URL('../../bin/dsbuild.js', import.meta.url));

export interface PtySize {
  readonly columns: number;
  readonly rows: number;
}

export interface PtyOptions extends Partial<PtySize> {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A shell's line to be run instead of the program; `$DSBUILD` is the program in it. */
  readonly shell?: string;
}

/**
 * What a shell sends when the line has ended; it ends itself when it is answered. node-pty throws away what was not read 200 ms after the
 * end of its process, which a busy machine takes long to do. Echo is off before it asks: the answer would stand on the screen.
 */
const ended = '\u001b]777;ended\u0007';
const waitForAnswer = `code=$?; stty -echo; printf '\\033]777;ended\\007'; read -r -s -n 1 _; exit $code`;

interface Waiting {
  readonly isThere: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly what: string;
}

export class PtyTerminal {
  readonly #terminal: InstanceType<typeof xterm.Terminal>;
  readonly #pty: IPty;
  #waiting: Waiting[] = [];
  #isAnswered = false;
  /** Exit code, once it has ended. */
  code: number | undefined;
  readonly done: Promise<number>;
  /** All that was sent to the terminal. */
  sent = '';

  constructor(args: readonly string[], { cwd, env = {}, shell, columns = 100, rows = 30 }: PtyOptions) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 2000, allowProposedApi: true });
    const { PATH = '' } = process.env;
    // Nothing of CI is handed on: there would be no view.
    const given = { PATH, LANG: 'C.UTF-8', TERM: 'xterm-256color', DSBUILD: `${process.execPath} ${program}`, ...env };
    const line = `${shell ?? '"$@"'}\n${waitForAnswer}`;
    const argv = ['-c', line, 'bash', process.execPath, program, ...args];
    this.#pty = spawn('/bin/bash', argv, { cols: columns, rows, name: given.TERM, cwd, env: given });
    this.#pty.onData((text) => {
      this.sent += text;
      if (!this.#isAnswered && this.sent.includes(ended)) {
        this.#isAnswered = true;
        this.#pty.write('x');
      }
      this.#terminal.write(text, () => this.#look());
    });
    this.done = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        // What was sent last is drawn first.
        this.#terminal.write('', () => {
          this.code = exitCode;
          resolve(exitCode);
          this.#look();
        });
      });
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The rows that are seen. */
  get screen(): string {
    const { baseY } = this.#terminal.buffer.active;
    return this.#text(baseY, baseY + this.#terminal.rows);
  }

  /** All rows, those that were scrolled away too. */
  get scrollback(): string {
    return this.#text(0, this.#terminal.buffer.active.length);
  }

  /** Cells of a row that is wrapped count as its own. */
  #text(from: number, to: number): string {
    const { active } = this.#terminal.buffer;
    const lines: string[] = [];
    for (let y = from; y < to; y++) lines.push(active.getLine(y)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }

  keys(text: string): void {
    this.#pty.write(text);
  }

  resize({ columns, rows }: PtySize): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Resolves when the screen matches; throws when the program ends before. */
  shows(pattern: RegExp): Promise<void> {
    return this.until(() => pattern.test(this.screen), String(pattern));
  }

  until(isThere: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ isThere, resolve, reject, what });
      this.#look();
    });
  }

  #look(): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ isThere, resolve, reject, what }) => {
      if (isThere()) resolve();
      else if (this.code !== undefined) reject(new Error(`it ended with ${this.code} before it showed ${what}:\n${this.scrollback}`));
      else return true;
      return false;
    });
  }

  end(): void {
    if (this.code === undefined) this.#pty.kill('SIGKILL');
    this.#terminal.dispose();
  }
}
