import { widthOf } from './width.ts';

/**
 * What a line is not broken in: a command in backticks, `dsbuild` with its command and flags, or flags with their values. Whoever copies it wants it whole; one that is
 * wider than the screen goes on where the terminal puts it.
 */
const piece = /`[^`]*`[^\s`]*|dsbuild(?: [a-z]+)?(?: (?:--?[\w-]+|<[^>]*>|\[[^\]]*\]))*\S*|--[\w-]+ [^\s-]\S*(?: --[\w-]+ [^\s-]\S*)+|\S+/g;

/**
 * A text as lines of at most so many columns, broken between words. Line ends of its own stay, and what begins with blanks is indented as far
 * in the lines that go on.
 *
 * @param width columns of a line; `first` those of the first one, if something stands before it.
 */
export function wrapped(text: string, width: number, { first = width }: { first?: number } = {}): string[] {
  return text.split('\n').flatMap((line, i) => wrappedLine(line, width, i === 0 ? first : width));
}

function wrappedLine(text: string, width: number, first: number): string[] {
  if (widthOf(text) <= first) return [text];
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let [line, room] = [indent, first];
  for (const word of text.match(piece) ?? []) {
    const isStart = line.trim() === '';
    if (widthOf(line) + (isStart ? 0 : 1) + widthOf(word) > room && (!isStart || (lines.length === 0 && first < width))) {
      lines.push(line.trimEnd());
      [line, room] = [indent + word, width];
    } else line += (isStart ? '' : ' ') + word;
  }
  return [...lines, line];
}
