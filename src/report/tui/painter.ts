import { widthOf } from '../width.ts';

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

/** Size of the terminal. */
interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** A text without its colours. */
export const uncolour = (text: string): string => text.replace(styles, '');

/**
 * Says what to write so that a terminal shows the next frame where the last one stands. The cursor always waits below the frame, at the
 * left. Only lines that are not what they were are written, so nothing flickers and what is selected with the mouse stays selected.
 */
export class Painter {
  #drawn: readonly string[] = [];
  #columns = 0;
  #rows = 0;
  /** Rows of frames that a lower terminal has pushed out of sight: just above the first row, where they come back from when it grows. */
  #pushedOut = 0;

  /** @param above ended lines that are to stay above the frame, for good. */
  draw(lines: readonly string[], { columns, rows, above = '' }: Room & { above?: string }): string {
    const isSame = above === '' && columns === this.#columns && rows === this.#rows;
    const text = isSame ? this.#changes(lines) : this.#anew(lines, { columns, rows, above });
    this.#drawn = [...lines];
    this.#columns = columns;
    this.#rows = rows;
    return text === '' ? '' : begin + text + end;
  }

  /** Takes the frame away: the cursor then stands where its first line began. */
  erase(room: Room): string {
    const text = this.#drawn.length === 0 ? '' : this.#toFirstRow(room) + eraseBelow;
    this.forget();
    return text;
  }

  #anew(lines: readonly string[], { columns, rows, above }: Room & { above: string }): string {
    const text = `${this.#toFirstRow({ columns, rows })}${eraseBelow}${crlf(above)}${lines.map((line) => `${line}\r\n`).join('')}`;
    // Behind lines that stay there is nothing that could be taken away any more.
    if (above !== '') this.#pushedOut = 0;
    return text;
  }

  /** To the first row of all that is a frame's; a terminal goes up to its first row at most. */
  #toFirstRow({ columns, rows }: Room): string {
    const height = this.#rowsAt(columns);
    const back = Math.min(this.#pushedOut, Math.max(0, rows - this.#rows));
    // The cursor's own row is below the frame.
    this.#pushedOut += Math.max(0, height - (rows - 1)) - back;
    return up(height + back);
  }

  /** What stands on the screen is not known any more. */
  forget(): void {
    this.#drawn = [];
    this.#columns = 0;
    this.#rows = 0;
    this.#pushedOut = 0;
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
