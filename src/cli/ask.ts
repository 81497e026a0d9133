import { createInterface } from 'node:readline/promises';
import { type CliContext, isCi, isTerminal } from './context.ts';

/** Somebody sits there. */
export const canAsk = ({ stdin, stdout, env }: CliContext): boolean => isTerminal(stdin) && isTerminal(stdout) && !isCi(env);

export interface Question {
  readonly question: string;
  /** What an empty answer means. */
  readonly fallback: string;
  /** Says what is wrong with an answer; it is then asked again. */
  readonly check?: (answer: string) => string | undefined;
}

/** Asks on the terminal until the answer will do. Ctrl-C ends it as it ends everything. */
export async function ask(context: CliContext, { question, fallback, check }: Question): Promise<string> {
  const terminal = createInterface({ input: context.stdin, output: context.stdout });
  // While a line is read, Ctrl-C reaches the reader and not the process.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    for (;;) {
      const answer = (await terminal.question(`${question} [${fallback}]: `, { signal: context.signal })).trim() || fallback;
      const problem = check?.(answer);
      if (problem === undefined) return answer;
      context.stdout.write(`  ${problem}\n`);
    }
  } finally {
    terminal.close();
  }
}
