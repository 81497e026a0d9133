import { existsSync, rmSync } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { readNote, writeNote } from '../base/notes.ts';
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
  writeNote(journalFile(stateDir, out), { out, entries });
}

/** Whether a change of the folder was begun and not ended. */
export const hasJournal = (stateDir: string, out: string): boolean => existsSync(journalFile(stateDir, out));

/** The change that a crash cut off, if there was one. A damaged one tells nothing. */
export function readJournal(stateDir: string, out: string): readonly JournalEntry[] {
  return readNote<{ entries: JournalEntry[] }>(journalFile(stateDir, out))?.entries ?? [];
}

export function removeJournal(stateDir: string, out: string): void {
  rmSync(journalFile(stateDir, out), { force: true });
}
