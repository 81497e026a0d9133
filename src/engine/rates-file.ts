import { join } from 'node:path';
import { readNote, writeNote } from '../base/notes.ts';
import { noRates, type Rates } from '../plan/rates.ts';

/** Raise when its form changes: an older file is then as good as none. */
const format = 1;

const ratesFile = (stateDir: string): string => join(stateDir, 'rates.json');

/** What runs of this project have shown; nothing if the file is gone, damaged or of another version. */
export function readRates(stateDir: string): Rates {
  const { format: found, ...rates } = readNote<Rates & { format?: number }>(ratesFile(stateDir)) ?? {};
  return found === format ? { ...noRates, ...rates } : noRates;
}

/** A record is a service: a full disk or a folder that may not be written ends no build. */
export function writeRates(stateDir: string, rates: Rates): void {
  try {
    writeNote(ratesFile(stateDir), { format, ...rates });
  } catch {
    // The next build knows as much as this one did.
  }
}
