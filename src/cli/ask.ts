import { createInterface, type Interface } from 'node:readline';
import { BuildError } from '../base/errors.ts';
import { type CliContext, isCi, isTerminal } from './context.ts';

/** Somebody sits there. */
export const canAsk = ({ stdin, stdout, env }: CliContext): boolean => isTerminal(stdin) && isTerminal(stdout) && !isCi(env);

export interface Question {
  readonly question: string;
  /** What it means and what follows from it, for who does not know; said above the question. */
  readonly about?: readonly string[];
  /** What an empty answer means. */
  readonly fallback: string;
  /** Says what is wrong with an answer; it is then asked again. */
  readonly check?: (answer: string) => string | undefined;
}

/**
 * Asks one question after the other on the terminal, each until the answer will do. Lines that are typed ahead answer what is asked next.
 * Ctrl-C, and an end of the input, end it as Ctrl-C ends everything.
 */
export class Asking {
  readonly #context: CliContext;
  readonly #terminal: Interface;
  readonly #lines: string[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  constructor(context: CliContext) {
    this.#context = context;
    this.#terminal = createInterface({ input: context.stdin, output: context.stdout });
    this.#terminal.on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    this.#terminal.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
    // While a line is read, Ctrl-C reaches the reader and not the process.
    this.#terminal.on('SIGINT', () => {
      context.stopping.interrupt();
      this.#terminal.close();
    });
  }

  /** @throws {BuildError} `interrupted` */
  async ask({ question, about = [], fallback, check }: Question): Promise<string> {
    for (const line of about) this.#context.stdout.write(`${line}\n`);
    for (;;) {
      this.#terminal.setPrompt(`${question} [${fallback}]: `);
      this.#terminal.prompt();
      const answer = (await this.#line()).trim() || fallback;
      const problem = check?.(answer);
      if (problem === undefined) return answer;
      this.#context.stdout.write(`  ${problem}\n`);
    }
  }

  async #line(): Promise<string> {
    while (this.#lines.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const line = this.#lines.shift();
    if (line !== undefined) return line;
    this.#context.stdout.write('\n');
    if (!this.#context.signal.aborted) this.#context.stopping.interrupt();
    throw new BuildError('interrupted', { message: 'the question was not answered' });
  }

  close(): void {
    this.#terminal.close();
  }
}

/** One question. */
export async function ask(context: CliContext, question: Question): Promise<string> {
  const asking = new Asking(context);
  try {
    return await asking.ask(question);
  } finally {
    asking.close();
  }
}
