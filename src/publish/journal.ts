import { existsSync, rmSync } from 'node:fs';
import { type Digest, digestHex } from '../base/digest.ts';
import { readIfThere, writeFileAtomic } from '../base/files.ts';
import { recordOf } from './published.ts';

/** One file of a change under way: its digest before (none: it was not there) and after (none: it goes). */
export interface JournalEntry {
  readonly name: string;
  readonly before: Digest | null;
  readonly after: Digest | null;
}

const journalFile = (stateDir: string, out: string): string => recordOf(stateDir, out, 'journal');

/** Says what is about to happen to a folder before anything does, so that after a crash every file there can be told: old, new, or the user's. */
export function writeJournal(stateDir: string, out: string, entries: readonly JournalEntry[]): void {
  const text = JSON.stringify({ out, entries });
  writeFileAtomic(journalFile(stateDir, out), `${digestHex(text)}\n${text}`);
}

/** Whether a change of the folder was begun and not ended. */
export const hasJournal = (stateDir: string, out: string): boolean => existsSync(journalFile(stateDir, out));

/** The change that a crash cut off, if there was one. A damaged one tells nothing. */
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
