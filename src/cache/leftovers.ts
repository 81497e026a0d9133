import { type Dirent, lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readIfThere } from '../base/files.ts';
import { isProcessAlive } from '../base/host.ts';
import { byCodeUnit } from '../base/names.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** A download that was cut off is gone on with for so long. */
const partialMsMax = 7 * dayMs;
/** Bundles of modules that nothing names any more may still be about to be loaded by a process that runs. */
const bundleMsMax = 30 * dayMs;

/** Runs of which the record stays, whatever their age. */
const runsKept = 20;
const runMsMax = 30 * dayMs;

export interface Leftover {
  readonly path: string;
  readonly what: 'temporary file' | 'partial download' | 'old bundle' | 'old run';
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Of a folder: of the youngest file in it, since writing to a file leaves the folder's own time as it was. */
function youngestMs(path: string): number {
  const own = lstatSync(path, { throwIfNoEntry: false });
  const inside = own?.isDirectory() ? entriesOf(path).map(({ name }) => youngestMs(join(path, name))) : [];
  return Math.max(own?.mtimeMs ?? 0, ...inside);
}

/** Files that were to be renamed to their own name: `tmp-<pid>-...` of blobs, `.tmp-<pid>-...` of all else, and those of claims. */
const temporary = /^\.?(?:tmp|claim|dead|now|build)-(\d+)-/;
const temporaryFolders = [
  'builds',
  'claims',
  'config',
  'modules',
  'plans',
  'published',
  'results/v1',
  'sources',
  'store/v1',
  'store/v1/packs',
  '',
];

function* temporaryFiles(stateDir: string, nowMs: number): Generator<Leftover> {
  for (const folder of temporaryFolders) {
    for (const { name } of entriesOf(join(stateDir, folder))) {
      const pid = temporary.exec(name)?.[1];
      // Builds that live are entered under such a name.
      if (pid === undefined || (folder === 'builds' && !name.endsWith('.new')) || isProcessAlive(Number(pid))) continue;
      const path = join(stateDir, folder, name);
      // It may be of a process of another machine, which can not be seen from here.
      if (nowMs - youngestMs(path) > dayMs) yield { path, what: 'temporary file' };
    }
  }
}

function* olderThan(folder: string, ageMs: number, nowMs: number): Generator<string> {
  for (const { name } of entriesOf(folder)) {
    const path = join(folder, name);
    if (nowMs - youngestMs(path) > ageMs) yield path;
  }
}

/** Bundles of earlier states of the user's modules: those that no record beside them names. */
function* oldBundles(folder: string, nowMs: number): Generator<string> {
  const names = entriesOf(folder).map(({ name }) => name);
  const records = names.filter((name) => name.endsWith('.json')).map((name) => readIfThere(join(folder, name))?.toString('utf8') ?? '');
  for (const path of olderThan(folder, bundleMsMax, nowMs)) {
    const name = basename(path, '.mjs');
    if (path.endsWith('.mjs') && !records.some((record) => record.includes(name))) yield path;
  }
}

/** Names are times: the newest come last. */
export function oldRuns(stateDir: string, olderThanMs = 0, nowMs = Date.now()): string[] {
  const dir = join(stateDir, 'runs');
  const names = entriesOf(dir).map(({ name }) => name);
  const old = names.sort(byCodeUnit).slice(0, -runsKept);
  return old.map((name) => join(dir, name)).filter((path) => nowMs - youngestMs(path) >= olderThanMs);
}

/** What crashes, cut connections and earlier states of the config left in the state folder besides the store. */
export function* leftovers(stateDir: string, nowMs = Date.now()): Generator<Leftover> {
  yield* temporaryFiles(stateDir, nowMs);
  for (const path of olderThan(join(stateDir, 'fetched'), partialMsMax, nowMs)) yield { path, what: 'partial download' };
  for (const path of oldBundles(join(stateDir, 'modules'), nowMs)) yield { path, what: 'old bundle' };
  for (const path of oldRuns(stateDir, runMsMax, nowMs)) yield { path, what: 'old run' };
}

export function removeLeftovers(found: Iterable<Leftover>): void {
  for (const { path } of found) rmSync(path, { recursive: true, force: true });
}
