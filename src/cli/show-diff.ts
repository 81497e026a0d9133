import { formatCount } from '../base/bytes.ts';
import type { DiffItem } from '../engine/api.ts';
import type { Paint } from '../report/colour.ts';
import { counted } from '../report/words.ts';

type Item<T extends DiffItem['type']> = Extract<DiffItem, { type: T }>;

const signed = (difference: number, noun: string): string =>
  difference === 0 ? '' : `${difference > 0 ? '+' : '-'}${counted(Math.abs(difference), noun)}`;

const joined = (words: readonly string[], separator = ', '): string => words.filter((word) => word !== '').join(separator);

/** `clean text/docs  +1 -0 ~2 documents, +34 tokens  (60 -> 61 documents, 1,204 -> 1,238 tokens)` */
function groupLine({ target, group, before, after, changes, note }: Item<'group'>, paint: Paint): string {
  const documents = changes
    ? joined(
        [
          changes.added === 0 ? '' : paint.green(`+${formatCount(changes.added)}`),
          changes.removed === 0 ? '' : paint.red(`-${formatCount(changes.removed)}`),
          changes.changed === 0 ? '' : paint.yellow(`~${formatCount(changes.changed)}`),
        ],
        ' ',
      )
    : '';
  const net = signed(after.documents - before.documents, 'document');
  const what = joined([documents === '' ? net : `${documents} documents`, signed(after.tokens - before.tokens, 'token')]);
  const figures = joined([
    before.documents + after.documents === 0 ? '' : `${formatCount(before.documents)} -> ${counted(after.documents, 'document')}`,
    before.tokens + after.tokens === 0 ? '' : `${formatCount(before.tokens)} -> ${counted(after.tokens, 'token')}`,
  ]);
  const head = joined([paint.bold(target), group], ' ');
  return joined(
    [
      head,
      // Where it is not known which documents differ, it is not known either that any does.
      what === '' && note === undefined ? 'other bytes' : what,
      figures === '' ? '' : paint.dim(`(${figures})`),
      note === undefined ? '' : paint.yellow(note),
    ],
    '  ',
  );
}

const signs = { added: '+', removed: '-', changed: '~' } as const;

function sampleLine({ is, id, text, textBefore }: Item<'sample'>, paint: Paint): string {
  const before = textBefore === undefined ? '' : `${JSON.stringify(textBefore)} -> `;
  return `  ${signs[is]} ${paint.green(id)}  ${before}${JSON.stringify(text)}`;
}

const lostLine = ({ hash, place }: Item<'lost'>, paint: Paint): string =>
  `  - ${paint.green(place === undefined ? 'a line' : `${place} as it was`)}  ${paint.dim(`its text is gone; SHA-256 ${hash}…`)}`;

/** A line for people; undefined for what needs none. */
export function diffLine(item: DiffItem, paint: Paint): string | undefined {
  if (item.type === 'same') return undefined;
  if (item.type === 'group') return groupLine(item, paint);
  if (item.type === 'lost') return lostLine(item, paint);
  return item.type === 'sample' ? sampleLine(item, paint) : `${paint.bold(item.target)}  ${paint.yellow(item.message)}`;
}
