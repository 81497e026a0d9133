import { digestHex } from './digest.ts';
import { readIfThere, writeFileAtomic } from './files.ts';

/** Written before the JSON, so that a note whose bytes went bad is as good as none. */
const digestChars = 64;

/** Notes something as JSON that can be found out again, or done without. */
export function writeNote(path: string, value: unknown): void {
  const text = JSON.stringify(value);
  writeFileAtomic(path, `${digestHex(text)}\n${text}\n`);
}

/** What was noted; undefined if there is nothing, or it is damaged, or can not be read. */
export function readNote<T>(path: string): T | undefined {
  try {
    const text = readIfThere(path)?.toString('utf8') ?? '';
    const json = text.slice(digestChars + 1, -1);
    return text === `${digestHex(json)}\n${json}\n` ? (JSON.parse(json) as T) : undefined;
  } catch {
    return undefined;
  }
}
