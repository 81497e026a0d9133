import { moduleUrl } from '../base/program.ts';
import type { GivenContext } from './context.ts';
import type { SignalSource } from './interrupt.ts';
import { isReaderGone, outputProblem, writtenOut } from './output.ts';
import type { runProgram } from './program.ts';
import { version } from './version.ts';

const isVersionAsked = (argv: readonly string[]): boolean => argv.length === 1 && ['--version', '-V', '-v'].includes(argv[0] as string);

async function sayVersion({ stdout = process.stdout, stderr = process.stderr }: GivenContext): Promise<number> {
  stdout.once('error', () => {});
  const error = await writtenOut(stdout, `${version()}\n`);
  if (error === undefined || isReaderGone(error)) return 0;
  stderr.write(outputProblem(error));
  return 1;
}

/**
 * Runs one command line and gives the exit code; never throws. What is not needed to say the version is loaded later:
 * scripts and prompts ask for it again and again. It is loaded by its address, because it is bundled apart from this file.
 */
export async function main(argv: readonly string[], given: GivenContext & { signals?: SignalSource } = {}): Promise<number> {
  if (isVersionAsked(argv)) {
    return sayVersion(given);
  }
  const program = (await import(moduleUrl('src/cli/program'))) as { runProgram: typeof runProgram };
  return program.runProgram(argv, given);
}
