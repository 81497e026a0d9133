import { entriesOf, type Manifest } from './manifest.ts';

/** One entry of a manifest that is not what it was. */
export interface Change {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
  /** Where it is a digest: what it is of, as far as that is on record. */
  readonly nameBefore?: string;
  readonly nameAfter?: string;
  /** Where both are of one file or module: which of its files are others now. */
  readonly files?: readonly FileChange[];
}

/** What became of a file of a content that changed; `new` and `gone` are files that a module imports. */
export interface FileChange {
  readonly file: string;
  readonly is: 'changed' | 'new' | 'gone';
}

/** What differs between two manifests, entry by entry, in the order of the walk. */
export function changesBetween(before: Manifest, after: Manifest): Change[] {
  const old = new Map([...entriesOf(before)].map((entry) => [entry.path, entry.value]));
  const changes: Change[] = [];
  for (const { path, value } of entriesOf(after)) {
    const was = old.get(path);
    old.delete(path);
    if (was !== value) changes.push({ path, after: value, ...(was !== undefined && { before: was }) });
  }
  for (const [path, was] of old) changes.push({ path, before: was });
  return changes;
}

const short = (value: string | undefined): string =>
  value === undefined ? 'nothing' : value.length === 66 ? `${value.slice(1, 13)}…` : value;

const fileWords = {
  changed: ['changed', 'changed'],
  new: ['is imported now', 'are imported now'],
  gone: ['is not imported any more', 'are not imported any more'],
} as const;
const filesShownMax = 3;

/** `filters/short.ts and filters/words.ts changed` */
function filesPhrase(files: readonly FileChange[], kind: FileChange['is']): string[] {
  const names = files.flatMap(({ file, is }) => (is === kind ? [file] : []));
  if (names.length === 0) return [];
  const more = names.length - filesShownMax;
  const shown = more > 0 ? [...names.slice(0, filesShownMax), `${more} more`] : names;
  const [one, several] = fileWords[kind];
  return [
    `${[shown.slice(0, -1).join(', '), shown.at(-1)].filter((part) => part !== '').join(' and ')} ${names.length === 1 ? one : several}`,
  ];
}

/** Which files are behind a digest that changed; undefined where that is not on record. */
function contentWords({ before, after, nameBefore, nameAfter, files }: Change, what: string): string | undefined {
  if (files?.length === 0) return `${nameAfter} is bundled in another way, though none of its files changed`;
  if (files) return (['changed', 'new', 'gone'] as const).flatMap((kind) => filesPhrase(files, kind)).join(', ');
  if (nameAfter !== undefined && nameBefore === undefined && before !== undefined)
    return `${what}: ${nameAfter} is not what was there before`;
  if (nameBefore === undefined && nameAfter === undefined) return undefined;
  return `${what}: ${nameBefore ?? short(before)} -> ${nameAfter ?? short(after)}`;
}

/** A change as a sentence a person reads: `option maxSeqLength: 1024 -> 2048`, `filters/short.ts changed`. */
export function describeChange(change: Change): string {
  const { path, before, after } = change;
  const [head, ...rest] = path.split('.');
  const name = rest.join('.');
  if (head === 'version') return `rule version: ${short(before)} -> ${short(after)}`;
  if (head === 'steps') return `step version ${name}: ${short(before)} -> ${short(after)}`;
  if (head === 'inputs') return `input ${name} changed`;
  if (head === 'settings') return `setting ${name}: ${short(before)} -> ${short(after)}`;
  const what = `${head === 'options' ? 'option ' : ''}${name || path}`;
  return contentWords(change, what) ?? `${what}: ${short(before)} -> ${short(after)}`;
}
