import { printable, widthOf } from '../report/width.ts';

/** Lines of a text that are at most so many columns wide, and whether there is more. */
export interface Folded {
  readonly lines: readonly string[];
  readonly isCut: boolean;
}

/** Where a piece that is full is cut: at its last blank, if that leaves most of it. */
function cutAt(piece: string): { kept: string; rest: string } {
  const blank = piece.lastIndexOf(' ');
  return blank > piece.length / 2 ? { kept: piece.slice(0, blank), rest: piece.slice(blank + 1) } : { kept: piece, rest: '' };
}

/** Cuts a line of any length into pieces of at most so many columns. */
function* foldedLine(line: string, columns: number): Generator<string> {
  let piece = '';
  let width = 0;
  for (const character of line) {
    const more = widthOf(character);
    if (width + more > columns && piece !== '') {
      const { kept, rest } = character === ' ' ? { kept: piece, rest: '' } : cutAt(piece);
      yield kept;
      [piece, width] = [rest, widthOf(rest)];
      if (character === ' ') continue;
    }
    piece += character;
    width += more;
  }
  yield piece;
}

/** A text as lines for a terminal: its own line ends stay, long lines go on in the next, nothing in it moves the cursor. */
export function fold(text: string, { columns, linesMax }: { columns: number; linesMax: number }): Folded {
  // No more characters than that can be shown: documents may have millions.
  const charactersMax = (columns + 1) * linesMax;
  const shown = text.slice(0, charactersMax);
  const lines: string[] = [];
  for (const line of shown.split(/\r?\n/)) {
    for (const piece of foldedLine(printable(line), columns)) {
      if (lines.length === linesMax) return { lines, isCut: true };
      lines.push(piece);
    }
  }
  return { lines, isCut: shown.length < text.length };
}

/** Words (without blanks at their ends) beside each other, as many to a line as there is room for. */
export function wrap(
  words: Iterable<{ readonly text: string; readonly painted: string }>,
  { columns, linesMax }: { columns: number; linesMax: number },
) {
  const lines: string[][] = [[]];
  let width = 0;
  let shown = 0;
  for (const { text, painted } of words) {
    const more = widthOf(text);
    if (width > 0 && width + 2 + more > columns) {
      if (lines.length === linesMax) break;
      lines.push([]);
      width = 0;
    }
    (lines.at(-1) as string[]).push(painted);
    width += (width > 0 ? 2 : 0) + more;
    shown++;
  }
  return { lines: lines.map((line) => line.join('  ')).filter((line) => line !== ''), shown };
}
