import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { holdsSecret } from '../base/address.ts';
import { digestHex } from '../base/digest.ts';
import { readFile, uniqueName, writeFileAtomic } from '../base/files.ts';
import { hostTag } from '../base/host.ts';
import { readNote, writeNote } from '../base/notes.ts';
import { type Bundle, bundle, esbuildVersion } from './esbuild.ts';
import { type SeenFile, seenAgain } from './identity.ts';
import { surroundingsName } from './loading.ts';

/** Raise when a kept bundle of an older dsbuild must not be used any more. */
const format = 1;
/** Bundles of earlier states of configs that stay. */
const oldBundlesMax = 4;

export interface ConfigBundle {
  /** Absolute path of the bundle; its name is the digest of its text. */
  readonly path: string;
  readonly map: string;
  readonly files: readonly SeenFile[];
  /** `cached`: no file that it was made of has changed, and esbuild was not started. */
  readonly how: 'cached' | 'bundled';
  /** To be called when it was imported: removes what is not to stay. */
  readonly imported: () => void;
}

const stays = (): void => {};

/** What is kept beside a bundle. Paths are relative to its folder, so that a moved project keeps it. */
interface Kept {
  readonly format: number;
  readonly esbuild: string;
  readonly face: string;
  readonly digest: string;
  readonly map: string;
  readonly files: readonly SeenFile[];
}

export interface ConfigBundleRequest {
  readonly file: string;
  readonly stateDir: string;
  readonly faceUrl: string;
}

const folderOf = ({ stateDir }: ConfigBundleRequest): string => join(stateDir, 'config');
const keptPath = (request: ConfigBundleRequest): string =>
  join(folderOf(request), `${digestHex(relative(request.stateDir, request.file)).slice(0, 16)}.json`);

const bundlePath = (request: ConfigBundleRequest, digest: string): string => join(folderOf(request), `${digest}.mjs`);

function isWhole(path: string, digest: string): boolean {
  return existsSync(path) && digestHex(readFile(path)) === digest;
}

function write(request: ConfigBundleRequest, kept: Omit<Kept, 'format' | 'esbuild' | 'face'>): void {
  const folder = folderOf(request);
  const files = kept.files.map((file) => ({ ...file, path: relative(folder, file.path) }));
  const record: Kept = { format, esbuild: esbuildVersion(), face: request.faceUrl, ...kept, files };
  writeNote(keptPath(request), record);
}

function cached(request: ConfigBundleRequest): ConfigBundle | undefined {
  const kept = readNote<Kept>(keptPath(request));
  if (!kept || kept.format !== format || kept.face !== request.faceUrl || kept.esbuild !== esbuildVersion()) return undefined;
  const before = kept.files.map((file) => ({ ...file, path: resolve(folderOf(request), file.path) }));
  const files: SeenFile[] = [];
  for (const file of before) {
    const now = seenAgain(file);
    if (!now) return undefined;
    files.push(now);
  }
  const path = bundlePath(request, kept.digest);
  if (!isWhole(path, kept.digest)) return undefined;
  if (files.some((file, i) => file.identity !== before[i]?.identity)) write(request, { digest: kept.digest, map: kept.map, files });
  return { path, map: kept.map, files, how: 'cached', imported: stays };
}

/** Bundled modules have no `import.meta` and no environment of their own: both come from the surroundings. */
const banner = `const __dsbuild=globalThis[Symbol.for("${surroundingsName}")](import.meta.url);`;
const define = {
  'process.env': '__dsbuild.env',
  'import.meta.url': '__dsbuildMeta.url',
  'import.meta.dirname': '__dsbuildMeta.dirname',
  'import.meta.filename': '__dsbuildMeta.filename',
};
const prelude = (path: string, text: string): string =>
  /\bimport\s*\.\s*meta\b/.test(text) ? `const __dsbuildMeta=__dsbuild.metaOf(${JSON.stringify(path)});` : '';

const bundleTo = (outfile: string, request: ConfigBundleRequest): Promise<Bundle> =>
  bundle({
    entry: request.file,
    outfile,
    face: request.faceUrl,
    // Symbolic links stay as they are: a config's relative paths belong to the place where the user sees it.
    options: { packages: 'external', preserveSymlinks: true, define, banner: { js: banner } },
    prelude,
  });

async function bundled(request: ConfigBundleRequest): Promise<ConfigBundle> {
  const made = await bundleTo(join(folderOf(request), 'bundle.mjs'), request);
  // `.dsbuild` is carried from one machine to another: what a config has of passwords and signed addresses is not kept there.
  if (holdsSecret(made.text)) return notKept(request);
  const digest = digestHex(made.text);
  const path = bundlePath(request, digest);
  if (!isWhole(path, digest)) writeFileAtomic(path, made.text);
  write(request, { digest, map: made.map, files: made.files });
  removeOld(folderOf(request));
  return { path, map: made.map, files: made.files, how: 'bundled', imported: stays };
}

async function notKept(request: ConfigBundleRequest): Promise<ConfigBundle> {
  rmSync(keptPath(request), { force: true });
  // In a folder of this name it is removed even if this process is killed before it has imported it.
  const folder = join(request.stateDir, 'tmp', uniqueName(hostTag));
  const path = join(folder, 'bundle.mjs');
  const { text, map, files } = await bundleTo(path, request);
  writeFileAtomic(path, text);
  return { path, map, files, how: 'bundled', imported: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Bundles that no config has as its last one, but the newest few: another process may just be about to load one. */
function removeOld(folder: string): void {
  const names = readdirSync(folder);
  const kept = new Set(names.filter((name) => name.endsWith('.json')).map((name) => `${readNote<Kept>(join(folder, name))?.digest}.mjs`));
  const old = names
    .filter((name) => name.endsWith('.mjs') && !kept.has(name))
    .map((name) => ({ name, writtenMs: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.writtenMs - a.writtenMs);
  for (const { name } of old.slice(oldBundlesMax)) rmSync(join(folder, name), { force: true });
}

/**
 * The config and all files that it imports, as one module in `<stateDir>/config`, made again only if one of them has changed.
 * @throws esbuild's BuildFailure, or the system's error if the folder can not be written.
 */
export async function bundleConfig(request: ConfigBundleRequest): Promise<ConfigBundle> {
  return cached(request) ?? (await bundled(request));
}
