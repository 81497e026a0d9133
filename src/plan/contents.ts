import type { Digest } from '../base/digest.ts';
import type { Change, FileChange } from './explain.ts';

/** What a digest of a manifest is of, for people: a file, or a module with the files of its bundle. */
export interface NamedContent {
  readonly name: string;
  readonly files?: Readonly<Record<string, Digest>>;
}

/** By digest; equal files may have several names. In no key, and never used to decide anything. */
export type Names = Readonly<Record<Digest, readonly NamedContent[]>>;

interface Sides {
  readonly before: Names;
  readonly now: Names;
}

/** Changes of digests with what these are of, where that is on record. */
export const withNames = (changes: readonly Change[], sides: Sides): Change[] => changes.map((change) => named(change, sides));

function named(change: Change, { before, now }: Sides): Change {
  const was = contentsOf(change.before, before);
  const is = contentsOf(change.after, now);
  // Under all names that both have: one digest became the other.
  const same = is.flatMap((content) => {
    const earlier = was.find(({ name }) => name === content.name);
    return earlier ? [{ before: earlier, now: content }] : [];
  });
  const [first] = same;
  const nameBefore = first?.before.name ?? was[0]?.name;
  const nameAfter = first?.now.name ?? is[0]?.name;
  return {
    ...change,
    ...(nameBefore !== undefined && { nameBefore }),
    ...(nameAfter !== undefined && { nameAfter }),
    ...(first && { files: same.flatMap((sides) => filesBetween(sides)) }),
  };
}

/** @param value JSON, as a manifest's entry has it. */
const contentsOf = (value: string | undefined, names: Names): readonly NamedContent[] =>
  value?.startsWith('"') && Object.hasOwn(names, value.slice(1, -1)) ? (names[value.slice(1, -1)] as readonly NamedContent[]) : [];

function filesBetween({ before, now }: { before: NamedContent; now: NamedContent }): FileChange[] {
  if (!before.files || !now.files) return [{ file: now.name, is: 'changed' }];
  const [was, is] = [new Map(Object.entries(before.files)), new Map(Object.entries(now.files))];
  return [
    ...[...is].flatMap(([file, digest]): FileChange[] => {
      const earlier = was.get(file);
      return earlier === digest ? [] : [{ file, is: earlier === undefined ? 'new' : 'changed' }];
    }),
    ...[...was.keys()].flatMap((file): FileChange[] => (is.has(file) ? [] : [{ file, is: 'gone' }])),
  ];
}
