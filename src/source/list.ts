import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { posix, relative, resolve, sep } from 'node:path';
import { BuildError, messageOf, systemCodeOf } from '../base/errors.ts';
import { type Glob, isGlob, parseGlob } from './glob.ts';

/** Local files that belong together. */
export interface SourceSpec {
  /** The group of all its files; with a `*`, a template: each file is a group of its own. */
  readonly group: string;
  /** Plain paths and globs, relative to `base`. */
  readonly patterns: readonly string[];
  /** Absolute folder. */
  readonly base: string;
  /** Sets files apart that are read in another way; without it there are none. */
  readonly accepts?: (path: string) => boolean;
}

export interface MissingPath {
  readonly group: string;
  /** The plain path of the declaration; or a link that a glob matched and that leads nowhere. */
  readonly pattern: string;
}

export interface SourceListing {
  /** POSIX paths relative to the base folder, each once, by code unit. */
  readonly paths: string[];
  /** Those that `accepts` set apart, in the same order. */
  readonly others: string[];
  readonly missing: MissingPath[];
  /** Links to folders, in which a glob would have looked for files had they been folders themselves. */
  readonly linkedFolders: string[];
}

export const foldersNeverEntered = new Set(['.dsbuild', '.git', 'node_modules']);
/** Extensions of record files, which are not part of a group's name. */
const recordExtension = /\.jsonl(?:\.gz|\.zst)?$/;

// By code unit, not locale: this order is hashed. A folder counts with its slash, so that it sorts as the paths below it do.
const byName = (a: Dirent, b: Dirent): number => {
  const [left, right] = [sortName(a), sortName(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};
const sortName = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);

function unreadable(what: string, where: string, cause: unknown): BuildError {
  const hint = 'Check its permissions, or leave it out of the patterns.';
  return new BuildError('source-unreadable', { message: `${what}: ${messageOf(cause)}`, where, hint, cause });
}

/** What lies at the path, links followed; undefined if nothing does, as behind a link to itself. */
function statsAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    if (systemCodeOf(cause) === 'ELOOP') return undefined;
    throw unreadable('the file can not be looked at', path, cause);
  }
}

const isFile = (path: string): boolean => statsAt(path)?.isFile() ?? false;
const isFolder = (path: string): boolean => statsAt(path)?.isDirectory() ?? false;

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort(byName);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '')) return [];
    throw unreadable('the folder can not be listed', folder, cause);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '')) return [];
    throw unreadable('the folder can not be listed', folder, cause);
  }
}

class Walk {
  readonly files: string[] = [];
  /** Links that lead nowhere. */
  readonly dangling: string[] = [];
  readonly linkedFolders: string[] = [];
  readonly #glob: Glob;
  readonly #root: string;

  constructor(glob: Glob, root: string) {
    this.#glob = glob;
    this.#root = root;
  }

  /** @param below path of the folder below the root, empty or with a slash at its end. */
  visit(below: string, depth: number): void {
    for (const entry of entriesOf(this.#root + below)) {
      const path = below + entry.name;
      const enters = (): boolean => !foldersNeverEntered.has(entry.name) && this.#glob.enters(entry.name, depth);
      if (!entry.isDirectory()) this.#addFile(entry, path);
      else if (enters()) this.visit(`${path}/`, depth + 1);
      if (entry.isSymbolicLink() && !entry.name.startsWith('.') && enters() && isFolder(this.#root + path)) this.linkedFolders.push(path);
    }
  }

  /** The names of one folder that match, as if all of them were files. */
  visitNames(): void {
    for (const name of namesIn(this.#root)) if (this.#glob.matches(name)) this.files.push(this.#readable(name));
  }

  #addFile(entry: Dirent, path: string): void {
    if (!this.#glob.matches(path)) return;
    if (entry.isFile()) this.files.push(this.#readable(path));
    else if (entry.isSymbolicLink()) this.#addLink(path);
  }

  #addLink(path: string): void {
    const stats = statsAt(this.#root + path);
    if (!stats) this.dangling.push(path);
    else if (stats.isFile()) this.files.push(path);
  }

  /** Node gives a name that is not UTF-8 with replacement characters: such a file can not be opened, nor should it be passed over. */
  #readable(path: string): string {
    if (!path.includes('\ufffd') || isFile(this.#root + path)) return path;
    throw new BuildError('source-unreadable', {
      message: 'the file name is not valid UTF-8',
      where: this.#root + path,
      hint: 'Rename the file.',
    });
  }
}

interface Expansion {
  /** POSIX, relative to the base folder, by code unit. */
  readonly paths: string[];
  readonly missing: string[];
  readonly linkedFolders: string[];
}

/** POSIX path from `base` to a path that the user wrote. */
function fromBase(base: string, path: string): string {
  return relative(base, resolve(base, path)).split(sep).join('/');
}

type Proof = 'each' | 'later';

function expandGlob(pattern: string, base: string, proof: Proof): Expansion {
  const glob = parseGlob(pattern);
  const root = resolve(base, glob.folder);
  const walk = new Walk(glob, root.endsWith('/') ? root : `${root}/`);
  if (glob.isFlat && proof === 'later') walk.visitNames();
  else walk.visit('', 0);
  const folder = fromBase(base, glob.folder);
  const place = (path: string): string => (folder === '' ? path : `${folder}/${path}`);
  return { paths: walk.files.map(place), missing: walk.dangling.map(place), linkedFolders: walk.linkedFolders.map(place) };
}

function expandPath(pattern: string, base: string): Expansion {
  const found = isFile(resolve(base, pattern));
  return { paths: found ? [fromBase(base, pattern)] : [], missing: found ? [] : [pattern], linkedFolders: [] };
}

/**
 * The regular files of a source, and links to such, in the order of their paths. Folders count only through globs; `.dsbuild`, `.git` and
 * `node_modules` are never entered, nor are links to folders.
 *
 * @param proof `later`: half the work, for who looks at each file anyway. Folders and dangling links that match may be among the paths of globs,
 * but not among the files that were set apart.
 * @throws {BuildError} `source-unreadable` for a folder that can not be listed, or a file name that is not UTF-8.
 */
export function listSource({ group, patterns, base, accepts }: SourceSpec, proof: Proof = 'each'): SourceListing {
  const expansions = patterns.map((pattern) => (isGlob(pattern) ? expandGlob(pattern, base, proof) : expandPath(pattern, base)));
  const missing = expansions.flatMap((expansion) => expansion.missing.map((pattern) => ({ group, pattern })));
  const [only] = expansions;
  const paths = only && expansions.length === 1 ? only.paths : [...new Set(expansions.flatMap((expansion) => expansion.paths))].sort();
  const apart = accepts ? paths.filter((path) => !accepts(path)) : [];
  const others = proof === 'later' ? apart.filter((path) => isFile(resolve(base, path))) : apart;
  const linkedFolders = [...new Set(expansions.flatMap((expansion) => expansion.linkedFolders))];
  return { paths: accepts && apart.length > 0 ? paths.filter(accepts) : paths, others, missing, linkedFolders };
}

/** The folder that a pattern's names are relative to: a glob's fixed beginning, a plain path's folder. */
function namingFolder(pattern: string, base: string): string {
  return fromBase(base, isGlob(pattern) ? parseGlob(pattern).folder : posix.dirname(pattern));
}

/**
 * How a source's files are grouped. `custom/*` makes each file a group: the star becomes its path below the fixed beginning of the first
 * pattern whose fixed beginning it lies in, without the extension of a record file.
 */
export function grouping({ group, patterns, base }: SourceSpec): (path: string) => string {
  if (!group.includes('*')) return () => group;
  const prefixes = patterns.map((pattern) => namingFolder(pattern, base)).map((folder) => (folder === '' ? '' : `${folder}/`));
  return (path) => {
    const prefix = prefixes.find((candidate) => path.startsWith(candidate)) ?? '';
    return groupNamed(group, path.slice(prefix.length));
  };
}

/** The group of a file by its path below the fixed beginning of its pattern: a star in `group` becomes that, without the extension of a record file. */
export const groupNamed = (group: string, name: string): string => group.replace('*', () => name.replace(recordExtension, ''));
