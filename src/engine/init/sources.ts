import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { byCodeUnit } from '../../base/names.ts';
import { isGlob } from '../../source/glob.ts';
import { filesWith, recordExtensions, splitExtension } from './look.ts';
import { type RecordShape, shapeOf } from './shape.ts';

/** A source of `download`, as it will stand in the config. */
export interface ProposedSource {
  /** `<category>/<name>`; a `*` makes each file a group of its own. */
  readonly group: string;
  /** One file, or patterns. */
  readonly patterns: readonly string[];
  readonly shape: RecordShape;
}

/** More files of one folder than this are parts of one thing, and one group; fewer are things with names. */
const namedFilesMax = 12;
const foldersMax = 12;

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
const lastOf = (path: string): string => path.split('/').at(-1) as string;

/** What can stand in a group, and become the name of a folder. */
const nameFrom = (path: string): string =>
  lastOf(path)
    .replace(/[\\*\p{Cc}]/gu, '-')
    .replace(/^\.+/, '') || 'data';

interface Folder {
  readonly cwd: string;
  /** POSIX, from `cwd`. */
  readonly path: string;
  /** Its record files, from the folder. */
  readonly files: readonly string[];
}

function patternsOf({ path, files }: Folder, below: string): string[] {
  const found = recordExtensions.filter((extension) => files.some((file) => splitExtension(file).extension === extension));
  const base = path === '.' ? '' : `${path}/`;
  return (found.length > 0 ? found : ['jsonl']).map((extension) => `${base}${below}*.${extension}`);
}

const shapeIn = ({ cwd, path }: Folder, files: readonly string[]): RecordShape => shapeOf(files.map((file) => resolve(cwd, path, file)));

/** All of a folder as one group. */
const asOne = (folder: Folder): ProposedSource => ({
  group: `text/${nameFrom(folder.path === '.' ? folder.cwd : folder.path)}`,
  patterns: patternsOf(folder, '**/'),
  shape: shapeIn(folder, folder.files),
});

/** Files that lie directly in a folder: each a group, or if their records differ a source of its own. */
function ofFiles(folder: Folder, direct: readonly string[], below: string): ProposedSource[] {
  const category = nameFrom(folder.path === '.' ? folder.cwd : folder.path);
  const shapes = direct.map((file) => shapeIn(folder, [file]));
  const known = new Set(shapes.filter(({ is }) => is !== 'unread').map((shape) => JSON.stringify(shape)));
  const patterns = patternsOf({ ...folder, files: direct }, below);
  if (known.size < 2) return [{ group: `${category}/*`, patterns, shape: shapes.find(({ is }) => is !== 'unread') ?? { is: 'unread' } }];
  return direct.map((file, i) => ({
    group: `${category}/${nameFrom(splitExtension(file).name)}`,
    patterns: [folder.path === '.' ? file : `${folder.path}/${file}`],
    shape: shapes[i] as RecordShape,
  }));
}

function ofFolder(folder: Folder): ProposedSource[] {
  const { path, files } = folder;
  const direct = files.filter((file) => !file.includes('/'));
  const below = [...new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0] as string))].sort(byCodeUnit);
  if (direct.length > namedFilesMax || below.length > foldersMax || below.some(isGlob) || direct.some(isGlob)) return [asOne(folder)];
  const ownFiles = direct.length > 0 || below.length === 0 ? ofFiles(folder, direct, below.length === 0 ? '**/' : '') : [];
  const folders = below.map((name): ProposedSource => {
    const inside = files.filter((file) => file.startsWith(`${name}/`));
    return {
      group: `${nameFrom(path === '.' ? folder.cwd : path)}/${nameFrom(name)}`,
      patterns: patternsOf({ ...folder, files: inside }, `${name}/**/`),
      shape: shapeIn(folder, inside),
    };
  });
  return [...ownFiles, ...folders];
}

function ofPlace(cwd: string, path: string): ProposedSource[] {
  if (isFolder(resolve(cwd, path))) return ofFolder({ cwd, path, files: filesWith(recordExtensions, resolve(cwd, path)) });
  return [{ group: `data/${nameFrom(splitExtension(path).name)}`, patterns: [path], shape: shapeOf([resolve(cwd, path)]) }];
}

/** The splits that a source's groups become, as far as they are known here. */
function splitsOf(cwd: string, { group, patterns }: ProposedSource): string[] {
  if (!group.endsWith('/*')) return [lastOf(group)];
  const folder = (patterns[0] as string).replace(/\*.*$/, '');
  return filesWith(recordExtensions, resolve(cwd, folder)).map((file) => lastOf(splitExtension(file).name));
}

/**
 * Sources for files and folders that the user named: a group for each file where they are few, else for each folder.
 * Groups that end alike would be one split (`train/en` and `valid/en`): then each place is one group.
 */
export function proposeSources(cwd: string, paths: readonly string[]): ProposedSource[] {
  return withOwnGroups(proposalsFor(cwd, paths));
}

function proposalsFor(cwd: string, paths: readonly string[]): ProposedSource[] {
  const proposed = paths.flatMap((path) => ofPlace(cwd, path));
  const splits = proposed.flatMap((source) => splitsOf(cwd, source));
  if (paths.length < 2 || new Set(splits).size === splits.length) return proposed;
  return paths.map((path) =>
    isFolder(resolve(cwd, path))
      ? asOne({ cwd, path, files: filesWith(recordExtensions, resolve(cwd, path)) })
      : (ofPlace(cwd, path)[0] as ProposedSource),
  );
}

/** Groups are keys in the config: the second of a name gets a number. */
function withOwnGroups(sources: readonly ProposedSource[]): ProposedSource[] {
  const taken = new Set<string>();
  return sources.map((source) => {
    let { group } = source;
    for (let i = 2; taken.has(group); i++) group = source.group.replace(/(\/\*)?$/, (star) => `-${i}${star}`);
    taken.add(group);
    return { ...source, group };
  });
}
