import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { readIfThere, writeAll } from '../base/files.ts';

/** One file of a change under way: its digest before (none: it was not there) and after (none: it goes). */
export interface JournalEntry {
  readonly name: string;
  readonly before: Digest | null;
  readonly after: Digest | null;
}

const journalFile = (stateDir: string, out: string): string => join(stateDir, 'published', `${digestHex(out).slice(0, 32)}.journal`);

/** Says what is about to happen to a folder before anything does, so that after a crash every file there can be told: old, new, or the user's. */
export function writeJournal(stateDir: string, out: string, entries: readonly JournalEntry[]): void {
  const path = journalFile(stateDir, out);
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, 'w');
  try {
    const text = JSON.stringify({ out, entries });
    writeAll(fd, Buffer.from(`${digestHex(text)}\n${text}`));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether a change of the folder was begun and not ended. */
export const hasJournal = (stateDir: string, out: string): boolean => existsSync(journalFile(stateDir, out));

/** The change that a crash cut off, if there was one. A journal that is itself cut off means that nothing had been changed yet. */
export function readJournal(stateDir: string, out: string): readonly JournalEntry[] {
  const text = readIfThere(journalFile(stateDir, out))?.toString('utf8');
  if (!text) return [];
  const body = text.slice(text.indexOf('\n') + 1);
  if (text.slice(0, 64) !== digestHex(body)) return [];
  return (JSON.parse(body) as { entries: JournalEntry[] }).entries;
}

export function removeJournal(stateDir: string, out: string): void {
  rmSync(journalFile(stateDir, out), { force: true });
}
