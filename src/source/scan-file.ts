import { setImmediate } from 'node:timers/promises';
import type { FileIdentity } from '../base/files.ts';
import { loadChecksum } from './checksum.ts';
import type { ChunkColumns } from './chunks.ts';
import { readUnchanged } from './open.ts';
import { type KnownChunks, rescan } from './rescan.ts';

/** Plain data: may be sent to a worker. */
export interface ScanJob {
  /** Absolute. */
  readonly path: string;
  readonly chunkBytes: number;
  /** An earlier state of the file, or of one like it. Saves time, changes nothing. */
  readonly known?: KnownChunks;
}

/** Plain data: may be sent from a worker. */
export interface ScanResult {
  readonly identity: FileIdentity;
  readonly chunks: ChunkColumns;
  /** Bytes of chunks that were not known. */
  readonly namedBytes: number;
}

export type ScanFile = (job: ScanJob, signal?: AbortSignal) => Promise<ScanResult>;

/** A scan lets other work of its thread go on after this many bytes. */
const turnBytes = 64 * 1024 * 1024;

/**
 * Scans one file into its chunk table; its memory does not grow with the file. Lets the event loop turn now and then.
 *
 * @throws {BuildError} `source-changing` if it was written to during each of three scans; `source-gone`, `source-unreadable`.
 */
export const scanFile: ScanFile = async (job, signal) => {
  const checksum = await loadChecksum();
  const { identity, value } = await readUnchanged(job.path, async (file) => {
    const steps = rescan(file, job.chunkBytes, { known: job.known, checksum });
    for (let done = 0; ; ) {
      const step = steps.next();
      if (step.done) return step.value;
      done += step.value;
      if (done < turnBytes) continue;
      done = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
  });
  return { identity, ...value };
};
