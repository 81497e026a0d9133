/** What work is refused with: work that goes well, or ends in anything but an error of ours, fails the test. */
import * as assert from 'uvu/assert';
import { BuildError } from '../src/base/errors.ts';

function ofOurs(error: unknown): BuildError {
  assert.instance(error, BuildError, String(error));
  return error as BuildError;
}

export async function refusal(work: Promise<unknown>): Promise<BuildError> {
  return ofOurs(
    await work.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
}

/** The same of a call that gives no promise. */
export function refusalOfCall(run: () => unknown): BuildError {
  try {
    run();
  } catch (error) {
    return ofOurs(error);
  }
  return ofOurs(undefined);
}
