import { classRuns } from './unicode-data.ts';

/** Classes of code points, as far as the known pre-tokenizer patterns tell them apart. */
export const symbol = 0;
export const upper = 1;
export const lower = 2;
/** Letters without case: Lm and Lo. */
export const caseless = 3;
export const digit = 4;
/** White space other than U+0020, CR and LF. */
export const white = 5;
export const space = 6;
export const newline = 7;
export const mark = 8;

const classOfLetter: Readonly<Record<string, number>> = {
  O: symbol,
  X: symbol,
  U: upper,
  L: lower,
  B: caseless,
  N: digit,
  S: white,
  P: space,
  C: newline,
  M: mark,
};

let table: Uint8Array | undefined;

/** Class by code point, 1.1 MB, made once per process. */
function classTable(): Uint8Array {
  table ??= readRuns((classes, run) => classes.fill(classOfLetter[run.letter] as number, run.start, run.end));
  return table;
}

/** Ranges of code points that the reference's Unicode has not assigned. */
export function unassignedRanges(): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  readRuns((_, run) => {
    if (run.letter === 'X') ranges.push([run.start, run.end - 1]);
  });
  return ranges;
}

/** The first and the last code point of every run of one class. */
export function unicodeEdges(): readonly number[] {
  const edges: number[] = [];
  readRuns((_, { start, end }) => edges.push(start, end - 1));
  return edges;
}

interface Run {
  letter: string;
  start: number;
  end: number;
}

function readRuns(take: (classes: Uint8Array, run: Run) => void): Uint8Array {
  const classes = new Uint8Array(0x11_0000);
  let start = 0;
  for (const [, length = '', letter = ''] of classRuns.matchAll(/([0-9a-z]*)([A-Z])/g)) {
    const end = start + (length === '' ? 1 : Number.parseInt(length, 36));
    take(classes, { letter, start, end });
    start = end;
  }
  return classes;
}

/**
 * Writes the class of each UTF-16 unit; both units of a pair get the class of their code point, so that a run of a class never ends between them.
 *
 * @param units well-formed UTF-16
 */
export function classify(units: Uint16Array, length: number, classes: Uint8Array): void {
  const known = classTable();
  for (let at = 0; at < length; at++) {
    const unit = units[at] as number;
    if ((unit & 0xf800) !== 0xd800) {
      classes[at] = known[unit] as number;
      continue;
    }
    const codePoint = 0x1_0000 + ((unit & 0x3ff) << 10) + ((units[at + 1] as number) & 0x3ff);
    classes[at] = classes[at + 1] = known[codePoint] as number;
    at++;
  }
}
