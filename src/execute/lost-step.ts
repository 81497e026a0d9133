import { BuildError, type ErrorDetails, messageOf } from '../base/errors.ts';
import type { Job } from './job.ts';
import type { RecordAt } from './record-mark.ts';

/** A step that was lost with its worker. Of the record that it was at it is known as yet which one of a part it is. */
export class LostStep extends BuildError {
  readonly record: RecordAt | undefined;

  constructor(code: string, details: ErrorDetails, record: RecordAt | undefined) {
    super(code, details);
    this.record = record;
  }
}

/** Its worker ended: it exited, ran out of memory, or something threw where nobody catches it. */
export const lostByDeath = (cause: unknown, record?: RecordAt): LostStep =>
  new LostStep(
    'worker-died',
    { message: `a worker ended: ${messageOf(cause)}`, hint: 'If it ran out of memory, give fewer --jobs.' },
    record,
  );

/** Its worker was ended, because it did not come back from a record. */
export const lostByTime = ({ step }: Job, { at, allowedMs }: { at: RecordAt; allowedMs: number }): LostStep =>
  new LostStep(
    'record-timeout',
    {
      message: `step "${step}" had not come back from a record after ${Math.round(allowedMs / 100) / 10} s, and was ended with its worker`,
      hint: 'Look for what never ends on it: a regular expression that tries too much, a loop, a promise that nobody settles. For records that need longer raise `recordSecondsMax` in the config.',
    },
    at,
  );
