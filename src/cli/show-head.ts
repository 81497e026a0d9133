import { formatCount } from '../base/bytes.ts';
import type { HeadRow, RowPiece } from '../engine/api.ts';
import type { Paint } from '../report/colour.ts';
import { printable, widthOf } from '../report/width.ts';
import { counted } from '../report/words.ts';
import { fold, wrap } from './fold.ts';

export interface HeadShown {
  readonly paint: Paint;
  /** Of the terminal. */
  readonly columns: number;
}

const textLinesMax = 8;
const otherLinesMax = 3;
const idLinesMax = 4;
const indent = '  ';
const ignoredLabel = -100;

/** A row as a block of lines: what it is and where, then what is in it. */
export function blockOf(found: HeadRow, shown: HeadShown): string[] {
  const { group, place, reason, pieces } = found;
  const { paint } = shown;
  const about = [
    ...(place === undefined ? [] : [paint.bold(place)]),
    ...(group === '' ? [] : [group]),
    ...(reason === undefined ? [] : [paint.yellow(reason)]),
    ...(pieces ? [paint.dim(sizeWords(found, pieces))] : []),
  ];
  const lines = pieces
    ? pieces.flatMap((piece, i) => pieceLines(found, { piece, number: i + 1, of: pieces.length }, shown))
    : fieldLines(found.row, shown);
  return [...(about.length === 0 ? [] : [about.join('  ')]), ...lines, '', ''];
}

/** Each field with its name; texts are folded and cut, and say so. */
function fieldLines(row: HeadRow['row'], shown: HeadShown): string[] {
  const names = Object.keys(row);
  const width = Math.min(16, Math.max(0, ...names.map((name) => widthOf(printable(name)))));
  return names.flatMap((name) => fieldOf(name, row[name], { ...shown, width }));
}

function fieldOf(name: string, value: unknown, { paint, columns, width }: HeadShown & { width: number }): string[] {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  const room = Math.max(20, columns - width - 2 * indent.length);
  const { lines, isCut } = fold(text, { columns: room, linesMax: typeof value === 'string' ? textLinesMax : otherLinesMax });
  const label = printable(name);
  const pad = ' '.repeat(Math.max(0, width - widthOf(label)));
  const behind = `${indent}${' '.repeat(width)}${indent}`;
  const [first = '', ...rest] = lines;
  return [
    `${indent}${paint.dim(label)}${pad}${indent}${first}`,
    ...rest.map((line) => behind + line),
    ...(isCut ? [behind + paint.dim(`… ${counted(text.length, 'character')} in all`)] : []),
  ];
}

const list = (row: HeadRow['row'], name: string): readonly number[] => (Array.isArray(row[name]) ? (row[name] as number[]) : []);
const idsOf = (row: HeadRow['row']): readonly number[] => (Array.isArray(row['input_ids']) ? list(row, 'input_ids') : list(row, 'ids'));

/** `1,024 tokens, 3 documents, 40 of padding, 12 labels masked` */
function sizeWords({ row }: HeadRow, pieces: readonly RowPiece[]): string {
  const padding = pieces.filter(({ is }) => is === 'padding').reduce((sum, { from, to }) => sum + to - from, 0);
  const labels = list(row, 'labels');
  const masked = labels.slice(0, labels.length - padding).filter((label) => label === ignoredLabel).length;
  const documents = pieces.filter(({ is }) => is === 'document').length;
  const start = row['start'];
  return [
    counted(idsOf(row).length, 'token'),
    ...(labels.length > 0 ? [counted(documents, 'document')] : []),
    ...(typeof start === 'number' && start > 0 ? [`from token ${formatCount(start)} of its document`] : []),
    ...(padding > 0 ? [`${formatCount(padding)} of padding`] : []),
    ...(masked > 0 ? [`${counted(masked, 'label')} masked, in ( )`] : []),
  ].join(', ');
}

interface PieceAt {
  readonly piece: RowPiece;
  readonly number: number;
  readonly of: number;
}

/** A document of a row: its text, then its ids with the text of each. */
function pieceLines(found: HeadRow, { piece, number, of }: PieceAt, shown: HeadShown): string[] {
  const { is, from, to, ends, text } = piece;
  const { paint, columns } = shown;
  const room = Math.max(20, columns - 2 * indent.length);
  const tokens = counted(to - from, 'token');
  if (is === 'padding')
    return [`${indent}${paint.dim(`padding  ${formatCount(from)}-${formatCount(to - 1)}, ${tokens} of id ${idsOf(found.row)[from]}`)}`];
  const goesOn = ends === false && list(found.row, 'labels').length > 0 ? ', no end of document' : '';
  const head =
    of > 1 ? [`${indent}${paint.dim(`document ${number}  ${formatCount(from)}-${formatCount(to - 1)}, ${tokens}${goesOn}`)}`] : [];
  const texts = text === undefined ? undefined : fold(text, { columns: room, linesMax: of > 1 ? otherLinesMax : textLinesMax });
  const cells = wrap(cellsOf(found, piece, paint), { columns: room, linesMax: idLinesMax });
  return [
    ...head,
    ...(texts?.lines ?? []).map((line) => indent.repeat(2) + line),
    ...(texts?.isCut ? [indent.repeat(2) + paint.dim(`… ${counted(text?.length ?? 0, 'character')} in all`)] : []),
    ...cells.lines.map((line) => indent.repeat(2) + line),
    ...(cells.shown < to - from ? [indent.repeat(2) + paint.dim(`… ${formatCount(to - from)} ids in all`)] : []),
  ];
}

/** What can not be seen is shown by a mark. */
const marks: Readonly<Record<string, string>> = { ' ': '␣', '\n': '⏎', '\r': '␍', '\t': '⇥' };
const visible = (text: string): string => printable(text.replace(/[ \n\r\t]/g, (blank) => marks[blank] as string));

/** `262:␣the`, in ( ) where the label is masked; the last of a document that ends is painted. */
function* cellsOf({ row, texts }: HeadRow, { from, to, ends }: RowPiece, paint: Paint): Generator<{ text: string; painted: string }> {
  const [ids, labels] = [idsOf(row), list(row, 'labels')];
  for (let at = from; at < to; at++) {
    const cell = texts ? `${ids[at]}:${visible(texts[at] as string)}` : String(ids[at]);
    const isMasked = labels[at] === ignoredLabel;
    const text = isMasked ? `(${cell})` : cell;
    const isEnd = ends === true && at === to - 1;
    yield { text, painted: isEnd ? paint.yellow(text) : isMasked ? paint.dim(text) : text };
  }
}
