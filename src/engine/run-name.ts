import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** A run while it lasts. */
export interface NamedRun {
  /** `2026-11-21T16-40-01-123Z`: the time at which it began, as it can stand in a path. */
  readonly run: string;
  /** Nothing is left of one that nobody wrote a record of. */
  leave(): void;
}

const nameOf = (ms: number): string => new Date(ms).toISOString().replace(/[:.]/g, '-');

/**
 * Names a run after its time. The folder of its record is made at once, so that of two that begin in the same millisecond the second is
 * named after the next: names stay times, in their order.
 */
export function nameRun(stateDir: string, nowMs = Date.now()): NamedRun {
  const runsDir = join(stateDir, 'runs');
  // Where nothing can be written no record will be.
  if (!canMake(() => mkdirSync(runsDir, { recursive: true }))) return unrecorded(nowMs);
  for (let ms = nowMs; ; ms++) {
    const folder = join(runsDir, nameOf(ms));
    if (canMake(() => mkdirSync(folder))) return { run: nameOf(ms), leave: () => removeEmpty(folder) };
    if (!existsSync(folder)) return unrecorded(nowMs);
  }
}

/** Of a run that leaves no record. */
export const unrecorded = (nowMs = Date.now()): NamedRun => ({ run: nameOf(nowMs), leave: () => undefined });

function canMake(make: () => void): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds a record.
  }
}
