/**
 * A process that is killed between any two changes of the file system, without a process: from the chosen change on, every one throws.
 * Reading goes on to work, as it would for the next process.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

class Killed extends Error {}

const changing = ['renameSync', 'linkSync', 'rmSync', 'copyFileSync', 'writeFileSync', 'mkdirSync', 'writeSync', 'unlinkSync'] as const;
type Changing = Record<(typeof changing)[number], (...given: unknown[]) => unknown>;

/**
 * Runs `work` and kills it before its change number `at`, counted from 0.
 *
 * @returns whether it was killed; otherwise it has ended. @throws what else it threw.
 */
export async function killedAt(at: number, work: () => Promise<unknown>): Promise<boolean> {
  const real = Object.fromEntries(changing.map((name) => [name, fs[name]])) as unknown as Changing;
  let left = at;
  for (const name of changing) {
    (fs as unknown as Changing)[name] = (...given) => {
      if (left-- <= 0) throw new Killed(`killed before ${name}`);
      return real[name](...given);
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
    return false;
  } catch (error) {
    // What cleans up after an error is dead as well, and may throw in turn.
    if (error instanceof Killed) return true;
    throw error;
  } finally {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  }
}
