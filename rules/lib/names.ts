/** Names of files that training folders hold. All of them are POSIX, below `out`. */

/** The split that a group becomes: its last segment, `code/apps` -> `apps`. Parts without a group make the split `train`. */
export const splitOf = (group: string): string => group.slice(group.lastIndexOf('/') + 1) || 'train';

/** Why a split can not be the name of a folder, or undefined. Groups come from file names and listings, which may hold anything. */
export function badSplit(split: string): string | undefined {
  if (split === '.' || split === '..') return 'it would lead outside its folder';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\\\u0000-\u001f\u007f]/.test(split) ? 'it holds a backslash or a control character' : undefined;
}

export const shardNameByNumber = (split: string, number: number): string => `${split}/shard_${String(number).padStart(4, '0')}.parquet`;

/** @param copies how many shards of the split before it have the same bytes. */
export const shardNameByDigest = (split: string, digest: string, copies: number): string =>
  `${split}/${digest.slice(0, 16)}${copies === 0 ? '' : `-${copies}`}.parquet`;

/** Beside the splits' folders, so that whatever reads all of a split's folder finds shards only. */
export const statsName = (split: string): string => `${split}_stats.json`;

export const manifestName = 'manifest.json';

/** A path as a config writes it, in POSIX form: `./data\\x/` -> `data/x`; the config's own folder is `.`. */
export function posixPath(path: string): string {
  const isAbsolute = /^[/\\]/.test(path);
  const segments: string[] = [];
  for (const segment of path.split(/[/\\]+/)) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && segments.length > 0 && segments.at(-1) !== '..') segments.pop();
    else segments.push(segment);
  }
  return `${isAbsolute ? '/' : ''}${segments.join('/')}` || '.';
}

/** The folder that holds all files of some local patterns; undefined for none, and where one is an address. */
export function folderOfPatterns(patterns: readonly string[]): string | undefined {
  if (patterns.length === 0 || patterns.some((pattern) => /^[a-z][a-z0-9+.-]*:\/\//i.test(pattern))) return undefined;
  const folders = patterns.map((pattern) => fixedFolder(pattern).split('/'));
  const [first = []] = folders;
  const shared = first.findIndex((segment, i) => folders.some((folder) => folder[i] !== segment));
  return first.slice(0, shared < 0 ? first.length : shared).join('/') || '.';
}

/** The segments of a pattern before its file name and before any wildcard. */
function fixedFolder(pattern: string): string {
  const segments = posixPath(pattern).split('/');
  const wild = segments.findIndex((segment) => /[*?[\]{}!()]/.test(segment));
  return segments.slice(0, wild < 0 ? -1 : Math.min(wild, segments.length - 1)).join('/');
}

/** Text of a JSON file that people read too. The order of the fields is the given one. */
export const jsonFile = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
