import { closeSync, fstatSync, readSync } from 'node:fs';
import { openFile } from '../base/files.ts';
import type { Look } from './settling.ts';

const newline = 10;
/** Of compressed files it can not be told whether they are whole without reading them. */
const isCompressed = (path: string): boolean => /\.(gz|zst)$/.test(path);
const isRecords = (path: string): boolean => /\.(jsonl|ndjson|json|txt|csv)$/.test(path);

/** How the file looks now. A file that can not be opened counts as gone: the build will say why. */
export function lookAt(path: string): Look | undefined {
  let fd: number;
  try {
    fd = openFile(path);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return undefined;
    const { size } = stats;
    if (isCompressed(path)) return { size, isTerminated: false };
    if (size === 0 || !isRecords(path)) return { size, isTerminated: true };
    const last = Buffer.alloc(1);
    readSync(fd, last, 0, 1, size - 1);
    return { size, isTerminated: last[0] === newline };
  } finally {
    closeSync(fd);
  }
}
