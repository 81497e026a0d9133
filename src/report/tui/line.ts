import type { Paint } from '../colour.ts';
import { cut, printable, widthOf } from '../width.ts';

/** How a piece of a line looks. Nothing is said by colour alone. */
export type Tone = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'warn';

export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

/** One line of the screen, of pieces that follow each other. */
export type Line = readonly Piece[];

export const piece = (text: string, tone: Tone = 'plain'): Piece => ({ text: printable(text), tone });
export const line = (text: string, tone: Tone = 'plain'): Line => [piece(text, tone)];

export const textOf = (pieces: Line): string => pieces.map(({ text }) => text).join('');

/** A line that is not wider than the screen. */
export function cutLine(pieces: Line, columns: number): Line {
  let left = columns;
  const kept: Piece[] = [];
  for (const { text, tone } of pieces) {
    if (left <= 0) break;
    const short = cut(text, left);
    left -= widthOf(short);
    kept.push({ text: short, tone });
    if (short !== text) break;
  }
  return kept;
}

/** A line with its right part at the right edge, if there is room for both. */
export function spread(left: Line, right: Line, columns: number): Line {
  const gap = columns - widthOf(textOf(left)) - widthOf(textOf(right));
  return gap < 2 ? left : [...left, piece(' '.repeat(gap)), ...right];
}

/** A line as it is written to the terminal. */
export function paintLine(pieces: Line, paint: Paint): string {
  const looks: Readonly<Record<Tone, (text: string) => string>> = {
    plain: (text) => text,
    bold: paint.bold,
    dim: paint.dim,
    good: paint.green,
    bad: paint.red,
    warn: paint.yellow,
  };
  return pieces
    .map(({ text, tone }) => looks[tone](text))
    .join('')
    .trimEnd();
}

/** So many lines of a list, chosen so that one of them is among them and moves as little as can be. */
export function windowStart({ count, height, at }: { count: number; height: number; at: number }): number {
  const half = Math.floor(height / 2);
  return Math.max(0, Math.min(at - half, count - height));
}
