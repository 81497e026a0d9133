import type { Writable } from 'node:stream';
import { BuildError } from '../base/errors.ts';
import { exitCode } from './exit-codes.ts';
import { isReaderGone, outputProblem } from './output.ts';

/** The part of `process` that tells of Ctrl-C and can end at once. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  exit(code: number): void;
}

/** Why a command is to stop before its end, and how it then exits. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit code that it leads to; undefined while nothing happened. */
  exitCode(): number | undefined;
  /** As Ctrl-C, for a terminal that hands it on as a key. */
  interrupt(): void;
  /** Ends what has nothing to do at the moment: nothing is broken off. */
  quit(): void;
  stopWatching(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The first Ctrl-C lets running steps be stopped in order; the second ends at once. A reader that went away (`dsbuild head x | head`)
 * ends the command quietly.
 */
export function watchInterruption(
  { stdout, stderr }: { stdout: Writable; stderr: Writable },
  source: SignalSource = process,
): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (because: number, message: string): void => {
    code ??= because;
    if (!controller.signal.aborted) controller.abort(new BuildError('interrupted', { message, hint: 'The next build goes on from here.' }));
  };
  const onSignal = (): void => {
    if (code === exitCode.interrupted) source.exit(exitCode.interrupted);
    stderr.write('stopping; once more to stop at once\n');
    stop(exitCode.interrupted, 'the build was interrupted');
  };
  const onOutputError = (error: Error): void => {
    const gone = isReaderGone(error);
    if (!gone && code === undefined) stderr.write(outputProblem(error));
    stop(gone ? exitCode.ok : exitCode.failed, 'the output can not be written');
  };
  for (const signal of signals) source.on(signal, onSignal);
  stdout.on('error', onOutputError);
  // There is nowhere to say it.
  stderr.on('error', () => {});
  return {
    signal: controller.signal,
    exitCode: () => code,
    interrupt: onSignal,
    quit: () => stop(exitCode.ok, 'it was ended'),
    stopWatching: () => {
      for (const signal of signals) source.off(signal, onSignal);
    },
  };
}
