import { BadRecord, idOf, parseRecord } from '../../rule/documents.ts';

const newlineByte = 10;
const bomBytes = [0xef, 0xbb, 0xbf];
const textShownMax = 80;
/** A longer line is not parsed for the sake of a few words of it. */
const parsedBytesMax = 4 * 1024 * 1024;

/** What a person recognises a document by. */
export interface LineShown {
  /** Undefined where the line is no document. */
  readonly id?: string;
  /** The beginning of its text, or of the line. */
  readonly text: string;
}

const shortened = (text: string): string => {
  const [line = ''] = [
    text
      .slice(0, 4 * textShownMax)
      .replace(/\s+/gu, ' ')
      .trim(),
  ];
  return line.length > textShownMax ? `${line.slice(0, textShownMax - 1)}…` : line;
};

/** What is shown of a line's bytes. */
export function shownLine(line: Buffer): LineShown {
  const start = bomBytes.every((byte, i) => line[i] === byte) ? line.subarray(bomBytes.length) : line;
  const record = start.length > parsedBytesMax ? undefined : parseRecord(start);
  if (record === undefined || record instanceof BadRecord) return { text: shortened(start.toString('utf8', 0, 8 * textShownMax)) };
  const text = typeof record['text'] === 'string' ? record['text'] : start.toString('utf8', 0, 8 * textShownMax);
  return { id: idOf(record, start), text: shortened(text) };
}

/** The lines of a part, found as they are asked for. */
export class Lines {
  readonly #bytes: Buffer;
  /** Where lines begin, as far as was looked. */
  readonly #starts: number[] = [0];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A line's bytes without its newline; undefined if there are not so many. */
  line(index: number): Buffer | undefined {
    while (this.#starts.length <= index + 1) {
      const start = this.#starts.at(-1) as number;
      if (start >= this.#bytes.length) break;
      const end = this.#bytes.indexOf(newlineByte, start);
      this.#starts.push(end < 0 ? this.#bytes.length + 1 : end + 1);
    }
    const [start, next] = [this.#starts[index], this.#starts[index + 1]];
    return start === undefined || next === undefined ? undefined : this.#bytes.subarray(start, next - 1);
  }
}
