import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildSummary } from '../base/events.ts';
import { byCodeUnit } from '../base/names.ts';

/** What earlier runs tell of a target: the time of one of its steps, and how many it had. */
export interface Earlier {
  readonly stepMs: number;
  readonly steps: number;
}

export type History = ReadonlyMap<string, Earlier>;

const runsReadMax = 10;

function readSummary(file: string): BuildSummary | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as BuildSummary;
  } catch {
    // A run that was killed has none, and one that is being written is read the next time.
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What the newest runs of a project say of its targets: of each target the last run in which any of its steps ran. */
export function readHistory(stateDir: string): History {
  const runs = join(stateDir, 'runs');
  // Runs are named by their time.
  const newest = namesIn(runs).sort(byCodeUnit).reverse().slice(0, runsReadMax);
  const history = new Map<string, Earlier>();
  for (const run of newest) {
    for (const [name, { ran, hit, tookMs }] of Object.entries(readSummary(join(runs, run, 'summary.json'))?.targets ?? {})) {
      if (ran > 0 && tookMs > 0 && !history.has(name)) history.set(name, { stepMs: tookMs / ran, steps: ran + hit });
    }
  }
  return history;
}
