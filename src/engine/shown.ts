import { publicText } from '../base/address.ts';
import { BuildError, explained, messageOf } from '../base/errors.ts';
import type { ShownError } from '../base/events.ts';

/** An error as reporters show it: a user's mistake without its stack, a bug with it. */
export function shownError(error: unknown): ShownError {
  const told = explained(error);
  if (told instanceof BuildError) {
    const { code, message, where, hint } = told;
    return { code, message, ...(where && { where }), ...(hint && { hint }) };
  }
  return { code: 'bug', message: publicText((error instanceof Error && error.stack) || messageOf(error)) };
}
