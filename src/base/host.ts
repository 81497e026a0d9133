import { hostname } from 'node:os';
import { digestHex } from './digest.ts';
import { systemCodeOf } from './errors.ts';

/** Stands for this machine in the names of files that several machines may share. */
export const hostTag: string = digestHex(hostname()).slice(0, 8);

/** Whether a process of this machine runs; one that may not be signalled does. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== 'ESRCH';
  }
}
