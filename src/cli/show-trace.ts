import { formatCount } from '../base/bytes.ts';
import type { TraceItem } from '../engine/api.ts';
import type { Paint } from '../report/colour.ts';

type Item<T extends TraceItem['type']> = Extract<TraceItem, { type: T }>;
type Place = NonNullable<Item<'span'>['source']>;
type Span = NonNullable<Item<'span'>['tokens']>;

const placeWords = ({ file, line, lineLast }: Place): string =>
  lineLast === undefined ? `${file} from line ${line} on` : lineLast === line ? `${file}:${line}` : `${file}:${line}-${lineLast}`;

/** The first and the last token. */
const tokenWords = ({ start, length }: Span): string => (length === 1 ? `${start}` : `${start}-${start + length - 1}`);

const quoted = (text: string): string => JSON.stringify(text);

const howWords: Readonly<Record<Item<'span'>['how'], string>> = {
  exact: '',
  'in-order': '(counted: a step of it does not say which record became which)',
  within: '(somewhere in these)',
};

const joined = (words: readonly string[]): string => words.filter((word) => word !== '').join('  ');

/** `split docs`: what files of shards lie in a folder of. */
const groupWords = (group: string): string => (group === '' ? '' : `of ${group}`);

/** The items of an answer as lines for people. */
export class TraceLines {
  readonly #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  of(item: TraceItem): string[] {
    if (item.type === 'row') return [this.#row(item)];
    if (item.type === 'line') return [joined([this.#paint.bold(placeWords(item.source)), this.#document(item)])];
    if (item.type === 'span') return [`  ${this.#span(item)}`];
    if (item.type === 'held') return [`  ${this.#held(item)}`];
    if (item.type === 'left-out') return [`  ${this.#leftOut(item)}`];
    return [this.#paint.yellow(`note: ${item.message}`)];
  }

  #row({ target, row, rows, unit, file, fileRow, group }: Item<'row'>): string {
    const name = this.#paint.bold(`${target} ${unit} ${formatCount(row)}`);
    const place = file === undefined ? '' : `${file} row ${formatCount(fileRow ?? 0)}`;
    return joined([name, place, groupWords(group), this.#paint.dim(`(from 0, of ${formatCount(rows)})`)]);
  }

  #document({ id, text }: { readonly id?: string; readonly text?: string }): string {
    return joined([id === undefined ? '' : this.#paint.green(id), text === undefined ? '' : this.#paint.dim(quoted(text))]);
  }

  #span(item: Item<'span'>): string {
    const { tokens, documentTokens, source, note = '', how } = item;
    return joined([
      tokens ? `tokens ${tokenWords(tokens)}` : '',
      source ? placeWords(source) : '',
      documentTokens ? `its tokens ${tokenWords(documentTokens)}` : '',
      howWords[how],
      this.#document(item),
      this.#paint.yellow(note),
    ]);
  }

  #held({ target, unit, row, rowLast, file, fileRow, tokens, documentTokens, how }: Item<'held'>): string {
    const rows = rowLast === undefined ? `${unit} ${formatCount(row)}` : `${unit}s ${formatCount(row)}-${formatCount(rowLast)}`;
    return joined([
      `${this.#paint.bold(target)} ${rows}`,
      file === undefined ? '' : `${file}${rowLast === undefined ? ` row ${formatCount(fileRow ?? 0)}` : ''}`,
      tokens ? `tokens ${tokenWords(tokens)}` : '',
      documentTokens ? `its tokens ${tokenWords(documentTokens)}` : '',
      howWords[how],
    ]);
  }

  #leftOut({ target, reason, detail }: Item<'left-out'>): string {
    return joined([`${this.#paint.bold(target)} ${this.#paint.yellow(reason)}`, detail ?? '']);
  }
}
