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

interface Folder {
  readonly out: string;
  /** Target and digest of each file that was last built for it, by name. */
  readonly wanted: ReadonlyMap<string, { readonly target: string; readonly digest: Digest }>;
  /** Whether all targets that publish there are looked at. */
  readonly isWhole: boolean;
}

function foldersOf({ graph }: Project, results: readonly LastResult[]): Folder[] {
  const outs = new Set(results.flatMap(({ target: { out } }) => (out === undefined || isRemote(out) ? [] : [out])));
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
  return foldersOf(project, results).flatMap((folder) => filesIn(project, folder, tell));
}

function filesIn({ stateDir, root }: Project, { out, wanted, isWhole }: Folder, tell: Tell): FileToRead[] {
  const published = readPublished(stateDir, out);
  const all = Array.from({ length: published.count }, (_, i) => published.file(i));
  const [first] = wanted.values();
  const target = first?.target ?? '';
  const where = shownPath(root, out);
  if (hasJournal(stateDir, out)) {
    const message = 'a build was cut off while it changed this folder: some of its files may be newer than others';
    tell({ type: 'finding', code: 'unfinished-change', message, target, where, hint: 'Build again: it goes on from there.' });
  }
  if (all.some(({ name, digest }) => wanted.has(name) && wanted.get(name)?.digest !== digest)) {
    tell({
      type: 'note',
      target,
      message: `${where} holds what was published before the last build; the next one that succeeds brings it up to date`,
    });
  }
  return all
    .filter(({ name }) => isWhole || wanted.has(name))
    .map((file) => ({ ...file, path: join(out, file.name), target: wanted.get(file.name)?.target ?? target }));
}
