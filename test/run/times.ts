import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Milliseconds per file of earlier runs: only the order of work depends on it, so that a lost or broken file does no harm. */
export type Times = Record<string, number>;

const timesFile = fileURLToPath(new URL('../../node_modules/.cache/dsbuild/test-times.json', import.meta.url));

export function readTimes(): Times {
  try {
    return JSON.parse(readFileSync(timesFile, 'utf8')) as Times;
  } catch {
    return {};
  }
}

export function writeTimes(times: Times): void {
  mkdirSync(dirname(timesFile), { recursive: true });
  writeFileSync(timesFile, `${JSON.stringify(times, null, 1)}\n`);
}
