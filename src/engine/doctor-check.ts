import { BuildError, messageOf } from '../base/errors.ts';
import type { OpenOptions } from './api.ts';

export interface DoctorRequest extends OpenOptions {
  /** Use the network where a check needs it. */
  readonly online: boolean;
}

/** One thing that a build needs. */
export interface DoctorCheck {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly hint?: string;
}

/** What a check threw, as its failure. */
export function failed(check: string, error: unknown): DoctorCheck {
  const { where, hint } = error instanceof BuildError ? error : { where: undefined, hint: undefined };
  const [first = ''] = messageOf(error).split('\n');
  return { check, ok: false, detail: where === undefined ? first : `${where}  ${first}`, ...(hint !== undefined && { hint }) };
}
