import { join } from 'node:path';
import { isRemote } from '../../base/address.ts';
import type { Digest } from '../../base/digest.ts';
import { hasJournal } from '../../publish/journal.ts';
import { type PublishedFile, readPublished } from '../../publish/published.ts';
import { shownPath } from '../places.ts';
import type { Project } from '../project.ts';
import type { Tell } from './items.ts';
import type { LastResult } from './last-results.ts';

/** A published file that is to be looked at. */
export interface FileToRead extends PublishedFile {
  readonly path: string;
  readonly target: string;
}

/** A folder or a prefix of a bucket. */
export interface PublishedPlace {
  readonly out: string;
  /** Target and digest of each file that was last built for it, by name. */
  readonly wanted: ReadonlyMap<string, { readonly target: string; readonly digest: Digest }>;
  /** Whether all targets that publish there are looked at. */
  readonly isWhole: boolean;
}

export function placesOf({ graph }: Project, results: readonly LastResult[], which: 'folders' | 'buckets'): PublishedPlace[] {
  const isMeant = (out: string): boolean => isRemote(out) === (which === 'buckets');
  const outs = new Set(results.flatMap(({ target: { out } }) => (out !== undefined && isMeant(out) ? [out] : [])));
  return [...outs].map((out) => {
    const here = results.filter(({ target }) => target.out === out);
    const files = here.flatMap(({ target, parts }) =>
      (parts['main'] ?? []).flatMap(({ name, digest }) => (name === undefined ? [] : [[name, { target: target.name, digest }] as const])),
    );
    const isWhole = graph.targets.every((target) => target.out !== out || here.some((result) => result.target === target));
    return { out, wanted: new Map(files), isWhole };
  });
}

/** Files of ours in the folders of these targets, as dsbuild left them. Tells of folders whose state is not that of the last build. */
export function filesToRead(project: Project, results: readonly LastResult[], tell: Tell): FileToRead[] {
  return placesOf(project, results, 'folders').flatMap((folder) => filesIn(project, folder, tell));
}

function filesIn({ stateDir, root }: Project, folder: PublishedPlace, tell: Tell): FileToRead[] {
  const { out } = folder;
  const published = readPublished(stateDir, out);
  const files = Array.from({ length: published.count }, (_, i) => published.file(i));
  tellOfState(folder, { files, where: shownPath(root, out), isUnfinished: hasJournal(stateDir, out) }, tell);
  return ofPlace(folder, files).map((file) => ({ ...file, path: join(out, file.name) }));
}

/** A file that has a name and a digest there, with the target that it is of; without those of targets that are not looked at. */
export function ofPlace<T extends { readonly name: string }>(
  { wanted, isWhole }: PublishedPlace,
  files: readonly T[],
): (T & { target: string })[] {
  const [first] = wanted.values();
  return files
    .filter(({ name }) => isWhole || wanted.has(name))
    .map((file) => ({ ...file, target: wanted.get(file.name)?.target ?? first?.target ?? '' }));
}

interface PlaceState {
  readonly files: readonly { readonly name: string; readonly digest: Digest }[];
  readonly where: string;
  readonly isUnfinished: boolean;
}

/** Tells of a place whose state is not that of the last build. */
export function tellOfState({ wanted }: PublishedPlace, { files, where, isUnfinished }: PlaceState, tell: Tell): void {
  const [first] = wanted.values();
  const target = first?.target ?? '';
  if (isUnfinished) {
    const message = 'a build was cut off while it changed what is published here: some of it may be newer than the rest';
    tell({ type: 'finding', code: 'unfinished-change', message, target, where, hint: 'Build again: it goes on from there.' });
  }
  if (files.some(({ name, digest }) => wanted.has(name) && wanted.get(name)?.digest !== digest)) {
    const message = `${where} holds what was published before the last build; the next one that succeeds brings it up to date`;
    tell({ type: 'note', target, message });
  }
}
