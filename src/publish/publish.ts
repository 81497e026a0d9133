import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import { type FileIdentity, identityOf, sameIdentity } from '../base/files.ts';
import type { Locations } from '../cache/locations.ts';
import type { Store } from '../cache/store.ts';
import type { Publication, PublishOutcome } from './destination.ts';
import { type JournalEntry, readJournal, removeJournal, writeJournal } from './journal.ts';
import { keepOld, pathBelow, placeBlob, removeEmptied, removeTemporaries, unpublish } from './place.ts';
import { hashFile, Published, type PublishedFile, readPublished, writePublished } from './published.ts';
import { edited, overSource, staysEdited } from './refusals.ts';

export interface PublishContext {
  readonly stateDir: string;
  readonly store: Store;
  readonly locations: Locations;
  /** Makes sure that these bytes are on this machine. */
  need(digest: Digest, target: string): Promise<void>;
  warn(warning: { code: string; message: string; where: string; hint?: string }): void;
}

const needTriesMax = 3;

/** Files of ours as they lie there, after a crash as well: what the state file says, corrected by the journal. */
async function ownFiles(context: PublishContext, out: string): Promise<Map<string, PublishedFile>> {
  const { stateDir } = context;
  const published = readPublished(stateDir, out);
  const files = new Map(Array.from(published.files(), (file) => [file.name, file]));
  const journal = readJournal(stateDir, out);
  if (journal.length === 0) return files;
  for (const folder of new Set(journal.map(({ name }) => dirname(join(out, name))))) removeTemporaries(folder);
  for (const { name, before, after } of journal) {
    const found = await hashFile(join(out, name));
    if (found && (found.digest === before || found.digest === after)) files.set(name, { name, ...found });
  }
  // The change is over, as far as it came: the next one has a journal of its own, which knows nothing of this one.
  writePublished(stateDir, Published.of(out, '', [...files.values()]));
  removeJournal(stateDir, out);
  return files;
}

interface Change extends JournalEntry {
  readonly target: string;
  /** Of what lay there when it was decided. */
  readonly seen: FileIdentity | undefined;
}

type Standing = { readonly is: 'ours' | 'absent' | 'foreign'; readonly file?: PublishedFile; readonly seen?: FileIdentity };

/** What lies at a path: a file of ours, nothing, or something that someone else wrote. */
async function standingOf(path: string, own: PublishedFile | undefined): Promise<Standing> {
  const identity = identityOf(path);
  if (!identity) return { is: 'absent' };
  if (
    own &&
    identity.ctimeNs === own.identity.ctimeNs &&
    identity.ino === own.identity.ino &&
    identity.size === own.identity.size &&
    identity.mtimeNs === own.identity.mtimeNs
  ) {
    return { is: 'ours', file: own, seen: identity };
  }
  const found = await hashFile(path);
  const name = own?.name ?? '';
  if (found && own && found.digest === own.digest) return { is: 'ours', file: { name, ...found }, seen: found.identity };
  return { is: 'foreign', seen: identity, ...(found && { file: { name, ...found } }) };
}

/**
 * Brings one folder to what is wanted, as one transaction: all or nothing as far as other files are concerned, each file in one move, and after a crash
 * the next build goes on from the journal.
 */
export async function publish(context: PublishContext, publication: Publication): Promise<PublishOutcome> {
  const { out } = publication;
  const own = await ownFiles(context, out);
  const kept = new Map<string, PublishedFile>();
  const changes: Change[] = [];
  const wantedNames = new Set<string>();
  for (const { name, digest, target } of publication.files) {
    const path = pathBelow(out, name);
    // What we published ourselves stays ours, also when another target reads it as a source.
    if (!own.has(name) && publication.isInPlace(path)) throw overSource(path, target);
    wantedNames.add(name);
    const standing = await standingOf(path, own.get(name));
    if (standing.file?.digest === digest) kept.set(name, { ...standing.file, name });
    else if (standing.is === 'foreign' && !publication.overwrite) throw edited(path, own.has(name));
    else
      changes.push({
        name,
        before: standing.is === 'ours' ? (standing.file?.digest ?? null) : null,
        after: digest,
        target,
        seen: standing.seen,
      });
  }
  for (const [name, file] of own) {
    if (wantedNames.has(name) || publication.isInPlace(join(out, name))) continue;
    if (publication.partial) {
      kept.set(name, file);
      continue;
    }
    const standing = await standingOf(join(out, name), file);
    if (standing.is === 'ours') changes.push({ name, before: file.digest, after: null, target: '', seen: standing.seen });
    if (standing.is === 'foreign') {
      context.warn(staysEdited(join(out, name)));
    }
  }
  return carryOut(context, publication, { kept, changes });
}

async function carryOut(
  context: PublishContext,
  { out, files, wanted, partial }: Publication,
  { kept, changes }: { kept: Map<string, PublishedFile>; changes: readonly Change[] },
): Promise<PublishOutcome> {
  for (const { after, target } of changes) if (after !== null) await context.need(after, target);
  assertUntouched(out, changes);
  if (changes.length > 0)
    writeJournal(
      context.stateDir,
      out,
      changes.map(({ name, before, after }) => ({ name, before, after })),
    );
  let bytes = 0;
  const uses = new Map<Digest, number>();
  for (const { after } of changes) if (after !== null) uses.set(after, (uses.get(after) ?? 0) + 1);
  for (const change of changes) {
    const left = change.after === null ? 0 : (uses.get(change.after) ?? 1) - 1;
    if (change.after !== null) uses.set(change.after, left);
    bytes += await applied(context, join(out, change.name), { ...change, keepInStore: left > 0 });
  }
  for (const { name, after } of changes) if (after === null) removeEmptied(out, name);
  for (const { name, after } of changes) {
    const identity = identityOf(join(out, name));
    if (after !== null && identity) kept.set(name, { name, digest: after, identity });
  }
  const order = new Map(files.map(({ name }, i) => [name, i]));
  const all = [...kept.values()].sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  writePublished(context.stateDir, Published.of(out, partial ? '' : wanted, all));
  removeJournal(context.stateDir, out);
  return { written: changes.filter((c) => c.after !== null).length, removed: changes.filter((c) => c.after === null).length, bytes };
}

/** Bringing the bytes may have taken long: what someone wrote meanwhile is not replaced. */
function assertUntouched(out: string, changes: readonly Change[]): void {
  for (const { name, seen } of changes) {
    const now = identityOf(join(out, name));
    if (now === seen || (now && seen && sameIdentity(now, seen))) continue;
    if (now) throw edited(join(out, name), seen !== undefined);
  }
}

/** Bytes that were there may be collected before their turn comes: then they are asked for once more. */
async function applied(context: PublishContext, path: string, change: Change & { keepInStore: boolean }): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      return apply(context, path, change);
    } catch (error) {
      if (change.after === null || tries === needTriesMax || !isGone(error)) throw error;
      await context.need(change.after, change.target);
    }
  }
}

function isGone(error: unknown): boolean {
  if (!(error instanceof BuildError)) return systemCodeOf(error) === 'ENOENT';
  const isMoved = error.code === 'part-mismatch' && error.where !== undefined && !existsSync(error.where);
  return isMoved || error.code === 'missing-bytes';
}

/** One file changes over. @returns the bytes that were written. */
function apply({ store, locations }: PublishContext, path: string, change: Change & { keepInStore: boolean }): number {
  const { before, after, keepInStore } = change;
  if (after === null) {
    if (before !== null) unpublish(path, before, store);
    return 0;
  }
  const location = locations.locate(after);
  if (!location)
    throw new BuildError('missing-bytes', { message: `the bytes of a file to be published are gone: ${after.slice(0, 12)}`, where: path });
  mkdirSync(dirname(path), { recursive: true });
  if (before !== null) keepOld(path, before, store);
  placeBlob(path, { digest: after, location, store, keepInStore });
  return location.reduce((sum, segment) => sum + segment.length, 0);
}
