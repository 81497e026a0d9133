import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { numbers } from '../source/files.ts';
import { perturbedLine } from './corpora.ts';

/** Bytes of a file from `start` up to `end`, newline included. */
interface Span {
  readonly start: number;
  readonly end: number;
}

const newline = 0x0a;

/**
 * The line at a share of all lines. By number, not by place: the line that holds a byte is more often a long one, and long lines end
 * chunks more often than others.
 */
function lineAt(bytes: Buffer, share: number): Span {
  const ends: number[] = [];
  for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, end + 1)) ends.push(end + 1);
  const line = Math.floor(ends.length * share);
  return { start: ends[line - 1] ?? 0, end: ends[line] as number };
}

/** As editors do: a new file, renamed into the place of the old one. */
function replaceFile(path: string, pieces: Iterable<Uint8Array>): void {
  const file = openSync(`${path}.new`, 'w');
  for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/** Changes one line of a file; what it says becomes what `change` gives for it. */
function changeLine(path: string, share: number, change: (line: string) => string): void {
  const bytes = readFileSync(path);
  const { start, end } = lineAt(bytes, share);
  const line = bytes.toString('utf8', start, end - 1);
  replaceFile(path, [bytes.subarray(0, start), Buffer.from(change(line)), bytes.subarray(end)]);
}

/** Seeds that no copy of the corpus has. */
const editSeed = 2_000_000_000;

export const editLine = (path: string, share: number): void => changeLine(path, share, (line) => `${perturbedLine(line, editSeed)}\n`);
export const deleteLine = (path: string, share: number): void => changeLine(path, share, () => '');
export const insertLine = (path: string, share: number): void =>
  changeLine(path, share, (line) => `${line}\n${perturbedLine(line, editSeed + 1)}\n`);

/** Every line with the given probability, decided by the seed. @returns how many. */
export function editSomeLines(path: string, { share, seed }: { share: number; seed: number }): number {
  const bytes = readFileSync(path);
  const next = numbers(seed);
  const pieces: Uint8Array[] = [];
  let [kept, edited] = [0, 0];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(newline, start) + 1;
    if (next() < share * 0x1_0000_0000) {
      pieces.push(bytes.subarray(kept, start), Buffer.from(`${perturbedLine(bytes.toString('utf8', start, end - 1), editSeed + start)}\n`));
      kept = end;
      edited++;
    }
    start = end;
  }
  replaceFile(path, [...pieces, bytes.subarray(kept)]);
  return edited;
}
