import type { ShownError } from '../base/events.ts';
import { type Paint, uncoloured } from './colour.ts';
import { forPeople } from './printed.ts';
import { widthOf } from './width.ts';
import { wrapped } from './wrap.ts';

/**
 * An error as people read it: where and what, then what to do, and the code for machines.
 *
 * ```
 * dedup › custom/chat.jsonl:8412  line 8412 is not JSON
 * Repair the line.        [bad-record]
 * ```
 *
 * @param columns of the terminal; without it lines are as long as they are.
 */
export function showError(
  error: ShownError,
  { paint = uncoloured, columns }: { paint?: Paint; columns?: number | undefined } = {},
): string {
  const { code, message, where, hint } = forPeople(error);
  return `${messageText({ where, message }, columns, paint)}\n${hintText({ hint, code: `[${code}]` }, columns, paint)}\n`;
}

const gap = ' '.repeat(8);

function messageText(
  { where, message }: { where: string | undefined; message: string },
  columns: number | undefined,
  paint: Paint,
): string {
  const place = where === undefined ? '' : `${paint.bold(where)}  `;
  if (columns === undefined) return place + paint.red(message);
  const before = where === undefined ? 0 : widthOf(where) + 2;
  const [first = '', ...more] = wrapped(message, columns, { first: Math.max(0, columns - before) });
  return [first === '' ? place.trimEnd() : place + paint.red(first), ...more.map(paint.red)].join('\n');
}

/** The code stands behind what to do, where there is room. */
function hintText({ hint, code }: { hint: string | undefined; code: string }, columns: number | undefined, paint: Paint): string {
  if (hint === undefined) return paint.dim(code);
  const lines = columns === undefined ? [hint] : wrapped(hint, columns);
  const isRoom = columns === undefined || widthOf(lines.at(-1) as string) + gap.length + code.length <= columns;
  return `${lines.join('\n')}${isRoom ? gap : '\n'}${paint.dim(code)}`;
}
