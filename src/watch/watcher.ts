import { statSync } from 'node:fs';
import { type FSWatcher, watch } from 'chokidar';
import { systemCodeOf } from '../base/errors.ts';

/** Which files matter. */
export interface Watched {
  /** Files and folders to look at; all of them exist. */
  readonly roots: readonly string[];
  /** Whether a file with this absolute path matters, there or not. */
  includes(path: string): boolean;
  /** Whether files below this folder can matter. */
  enters(folder: string): boolean;
}

export interface WatcherEvents {
  /** A file that matters appeared, changed or went away. */
  changed(path: string): void;
  /** Changes may be missed from now on, because the system watches no more files. */
  blind(reason: string): void;
}

const limitCodes = ['ENOSPC', 'EMFILE', 'ENFILE'];

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Tells of changes to the files that matter, as the operating system does; a rename over a file counts as a change of it. */
export class Watcher {
  readonly #watcher: FSWatcher;
  /** Resolves when everything is watched: what changed before may have been missed. */
  readonly ready: Promise<void>;

  constructor(watched: Watched, events: WatcherEvents) {
    const roots = new Set(watched.roots);
    this.#watcher = watch([...watched.roots], {
      ignoreInitial: true,
      atomic: true,
      ignored: (path, stats) => {
        if (roots.has(path)) return false;
        if (!stats) return false;
        return stats.isDirectory() ? !watched.enters(path) : !watched.includes(path);
      },
    });
    this.#watcher.on('all', (event, path) => {
      if (event === 'addDir' || event === 'unlinkDir' || isFolder(path)) return;
      if (watched.includes(path)) events.changed(path);
    });
    this.#watcher.on('error', (error) => {
      const code = systemCodeOf(error);
      if (code !== undefined && limitCodes.includes(code)) events.blind(code);
    });
    this.ready = new Promise((resolve) => void this.#watcher.once('ready', resolve));
  }

  close(): Promise<void> {
    return this.#watcher.close();
  }
}
