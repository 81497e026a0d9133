import { widthOf } from './width.ts';

const esc = '\u001b';
const styles = new RegExp(`${esc}\\[[\\d;]*m`, 'g');
/** A terminal that knows these shows all that stands between them at once (synchronized output, mode 2026); others skip them. */
const begin = `${esc}[?2026h`;
const end = `${esc}[?2026l`;
const up = (rows: number): string => (rows === 0 ? '\r' : `\r${esc}[${rows}A`);
const eraseBelow = `${esc}[J`;
const eraseLine = `${esc}[K`;

export const hideCursor = `${esc}[?25l`;
export const showCursor = `${esc}[?25h`;

/** A text without its colours. */
export const uncolour = (text: string): string => text.replace(styles, '');

/**
 * Says what to write so that a terminal shows the next frame where the last one stands. The cursor always waits below the frame, at the
 * left. Only lines that are not what they were are written, so nothing flickers and what is selected with the mouse stays selected.
 */
export class Painter {
  #drawn: readonly string[] = [];
  #columns = 0;

  /** @param above ended lines that are to stay above the frame, for good. */
  draw(lines: readonly string[], { columns, above = '' }: { columns: number; above?: string }): string {
    const rows = this.#rowsAt(columns);
    const isSame = above === '' && columns === this.#columns;
    const text = isSame ? this.#changes(lines) : `${up(rows)}${eraseBelow}${crlf(above)}${lines.map((line) => `${line}\r\n`).join('')}`;
    this.#drawn = [...lines];
    this.#columns = columns;
    return text === '' ? '' : begin + text + end;
  }

  /** Takes the frame away: the cursor then stands where its first line began. */
  erase(columns: number): string {
    const rows = this.#rowsAt(columns);
    const text = this.#drawn.length === 0 ? '' : up(rows) + eraseBelow;
    this.forget();
    return text;
  }

  /** What stands on the screen is not known any more. */
  forget(): void {
    this.#drawn = [];
    this.#columns = 0;
  }

  /** Rows that the frame takes: a terminal that was made narrower has wrapped the lines that are too long now. */
  #rowsAt(columns: number): number {
    if (columns >= this.#columns) return this.#drawn.length;
    return this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(uncolour(line)) / columns)), 0);
  }

  #changes(lines: readonly string[]): string {
    const before = this.#drawn;
    const first = lines.findIndex((line, i) => line !== before[i]);
    if (first < 0 && lines.length === before.length) return '';
    const from = first < 0 ? lines.length : first;
    let text = up(before.length - from);
    for (let i = from; i < lines.length; i++) text += lines[i] === before[i] ? '\n' : `${lines[i]}${eraseLine}\r\n`;
    return lines.length < before.length ? text + eraseBelow : text;
  }
}

/** Raw mode is for keys only: a line end alone would do, but not behind every remote line. */
const crlf = (text: string): string => text.replace(/\r?\n/g, '\r\n');
