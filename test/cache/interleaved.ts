/** Another process between any two calls of the file system, without a process: it does all of its work there at once. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const names = ['openSync', 'readFileSync', 'writeFileSync', 'linkSync', 'renameSync', 'rmSync', 'lstatSync'] as const;
type Calls = Record<(typeof names)[number], (...given: unknown[]) => unknown>;

/**
 * Runs `work`, and `other` before those of its calls whose numbers are given, counted from 0.
 *
 * @returns what it gave, and how many calls it made.
 */
export function interleaved<T>(at: readonly number[], other: () => void, work: () => T): { readonly value: T; readonly calls: number } {
  const real = Object.fromEntries(names.map((name) => [name, fs[name]])) as unknown as Calls;
  let calls = 0;
  let isOther = false;
  const before = (): void => {
    if (isOther || !at.includes(calls++)) return;
    isOther = true;
    other();
    isOther = false;
  };
  for (const name of names) {
    (fs as unknown as Calls)[name] = (...given) => {
      before();
      return real[name](...given);
    };
  }
  syncBuiltinESMExports();
  try {
    return { value: work(), calls };
  } finally {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  }
}
