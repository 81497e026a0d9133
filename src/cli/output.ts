import type { Writable } from 'node:stream';

/** A reader that went away (`dsbuild head x | head`) has all that it wanted. */
export const isReaderGone = (error: Error): boolean =>
  ['EPIPE', 'ERR_STREAM_DESTROYED', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');

export const outputProblem = ({ message }: Error): string => `the output can not be written: ${message}\n`;

/** Writes a text and waits until it and all before it is written, or can not be; gives the error, which the stream tells of as well. */
export const writtenOut = (stdout: Writable, text = ''): Promise<Error | undefined> =>
  new Promise((resolve) => void stdout.write(text, (error) => resolve(error ?? undefined)));
