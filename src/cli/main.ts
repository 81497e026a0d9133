import type { GivenContext } from './context.ts';
import type { SignalSource } from './interrupt.ts';
import { version } from './version.ts';

const isVersionAsked = (argv: readonly string[]): boolean => argv.length === 1 && ['--version', '-V', '-v'].includes(argv[0] as string);

/**
 * Runs one command line and gives the exit code; never throws. What is not needed to say the version is loaded later:
 * scripts and prompts ask for it again and again.
 */
export async function main(argv: readonly string[], given: GivenContext & { signals?: SignalSource } = {}): Promise<number> {
  if (isVersionAsked(argv)) {
    (given.stdout ?? process.stdout).write(`${version()}\n`);
    return 0;
  }
  const { runProgram } = await import('./program.ts');
  return runProgram(argv, given);
}
