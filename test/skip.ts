/** Where the runner collects the reasons of one file; absent when the file is run on its own. */
interface SkipLog {
  dsbuildSkips?: (reason: string) => void;
}

/**
 * Says that a test, or a part of it, could not be tried on this machine. The runner counts it and prints the reason;
 * with `CI` set it is a failure, because CI has all that the tests need. Call it and return.
 *
 * @param reason what is missing and how to get it, as one line.
 */
export function skip(reason: string): void {
  const log = (globalThis as SkipLog).dsbuildSkips;
  if (log) log(reason);
  else process.stderr.write(`skipped: ${reason}\n`);
}
