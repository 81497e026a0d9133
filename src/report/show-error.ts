import type { ShownError } from '../base/events.ts';
import { type Paint, uncoloured } from './colour.ts';
import { forPeople } from './printed.ts';

/**
 * An error as people read it: where and what, then what to do, and the code for machines.
 *
 * ```
 * dedup › custom/chat.jsonl:8412  line 8412 is not JSON
 * Repair the line.        [bad-record]
 * ```
 */
export function showError(error: ShownError, paint: Paint = uncoloured): string {
  const { code, message, where, hint } = forPeople(error);
  const place = where === undefined ? '' : `${paint.bold(where)}  `;
  const todo = hint === undefined ? '' : `${hint}        `;
  return `${place}${paint.red(message)}\n${todo}${paint.dim(`[${code}]`)}\n`;
}
