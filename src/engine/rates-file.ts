import { join } from 'node:path';
import { readIfThere, writeFileAtomic } from '../base/files.ts';
import { noRates, type Rates } from '../plan/rates.ts';

/** Raise when its form changes: an older file is then as good as none. */
const format = 1;

const ratesFile = (stateDir: string): string => join(stateDir, 'rates.json');

/** What runs of this project have shown; nothing if the file is gone, damaged or of another version. */
export function readRates(stateDir: string): Rates {
  try {
    const text = readIfThere(ratesFile(stateDir))?.toString('utf8');
    const { format: found, ...rates } = JSON.parse(text ?? '{}') as Rates & { format?: number };
    return found === format ? { ...noRates, ...rates } : noRates;
  } catch {
    return noRates;
  }
}

/** A record is a service: a full disk or a folder that may not be written ends no build. */
export function writeRates(stateDir: string, rates: Rates): void {
  try {
    writeFileAtomic(ratesFile(stateDir), JSON.stringify({ format, ...rates }));
  } catch {
    // The next build knows as much as this one did.
  }
}
