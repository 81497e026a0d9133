import { BuildError } from '../base/errors.ts';

/** Ctrl-C or the like. */
export const interrupted = (): BuildError =>
  new BuildError('interrupted', { message: 'the build was interrupted', hint: 'Build again to go on from here.' });

/** It was broken off by hand: nothing of it failed. */
export const isInterruption = (error: unknown): boolean => error instanceof BuildError && error.code === 'interrupted';
