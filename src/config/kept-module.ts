import { join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { readIfThere, writeFileAtomic } from '../base/files.ts';
import { readNote, writeNote } from '../base/notes.ts';
import { esbuildVersion, type Reach } from './esbuild.ts';
import { type SeenFile, seenAgain } from './identity.ts';
import { bundleModule } from './user-modules.ts';

/** A bundle of a module of the user's, laid where workers load it from. */
export interface KeptModule {
  readonly digest: Digest;
  readonly path: string;
  /** All files that went into it. */
  readonly files: readonly SeenFile[];
  readonly reaches: readonly Reach[];
}

interface Kept {
  readonly esbuild: string;
  readonly faceUrl: string;
  readonly files: readonly SeenFile[];
  readonly digest: Digest;
  /** BLAKE3 of the text that lies in the bundle's file. */
  readonly text: Digest;
  readonly reaches: readonly Reach[];
}

export interface KeepRequest {
  /** Absolute path of the module. */
  readonly file: string;
  readonly stateDir: string;
  readonly faceUrl: string;
}

const recordFile = ({ file, stateDir }: KeepRequest): string => join(stateDir, 'modules', `${digestHex(file).slice(0, 32)}.json`);
const bundleFile = ({ stateDir }: KeepRequest, text: Digest): string => join(stateDir, 'modules', `${text}.mjs`);

function unchanged(request: KeepRequest): KeptModule | undefined {
  const kept = readNote<Kept>(recordFile(request));
  if (!kept || kept.esbuild !== esbuildVersion() || kept.faceUrl !== request.faceUrl || !kept.reaches) return undefined;
  const files = kept.files.map(seenAgain);
  if (files.some((file) => file === undefined)) return undefined;
  const path = bundleFile(request, kept.text);
  const bytes = readIfThere(path);
  if (!bytes || digestHex(bytes) !== kept.text) return undefined;
  const anew: Kept = { ...kept, files: files as SeenFile[] };
  if (JSON.stringify(anew) !== JSON.stringify(kept)) writeNote(recordFile(request), anew);
  return { digest: kept.digest, path, files: anew.files, reaches: kept.reaches };
}

/** The module's bundle, made again only if one of the files that go into it has changed: esbuild's start is the longest part of a build that has nothing to do. */
export async function keepModule(request: KeepRequest): Promise<KeptModule> {
  const found = unchanged(request);
  if (found) return found;
  const { digest, text, files, reaches } = await bundleModule(request.file, { faceUrl: request.faceUrl });
  const kept: Kept = { esbuild: esbuildVersion(), faceUrl: request.faceUrl, files, digest, text: digestHex(text), reaches };
  writeFileAtomic(bundleFile(request, kept.text), text);
  writeNote(recordFile(request), kept);
  return { digest, path: bundleFile(request, kept.text), files, reaches };
}
