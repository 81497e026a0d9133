import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, relative, sep } from 'node:path';
import type { BuildOptions, OnLoadResult, Plugin } from 'esbuild';
import { messageOf } from '../base/errors.ts';
import { byCodeUnit } from '../base/names.ts';
import { readSeen, type SeenFile } from './identity.ts';

/** One source file bundled with all that it imports. */
export interface Bundle {
  /** One ES module. No folder's name is in it. */
  readonly text: string;
  /** Its source map; sources are relative to the folder of the bundle. */
  readonly map: string;
  /** All files that went into it, by path. */
  readonly files: readonly SeenFile[];
  /** By file and module. Packages are left out: many can read files, and seldom do. */
  readonly reaches: readonly Reach[];
}

/** An import by which code may learn of what is in no bundle: files, programs, the network, the machine. */
export interface Reach {
  /** Absolute path of the importing file. */
  readonly file: string;
  /** As it was written, such as `node:fs`. */
  readonly module: string;
}

export interface BundleRequest {
  readonly entry: string;
  /** Path that the bundle's text is for; nothing is written. */
  readonly outfile: string;
  /** What `import ... from 'dsbuild'` becomes. */
  readonly face: string;
  readonly options: BuildOptions;
  /** What stands before a module's first line, given its path relative to the bundle. */
  readonly prelude?: (path: string, text: string) => string;
}

/** Known without loading esbuild: the version is part of what a kept bundle depends on. */
export function esbuildVersion(): string {
  const path = createRequire(import.meta.url).resolve('esbuild/package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

const posix = (path: string): string => path.split(sep).join('/');
const hasCode = (path: string): boolean => /^\.[cm]?[jt]sx?$/.test(extname(path));

const reachingModules = /^(?:node:)?(?:fs|child_process|http|https|http2|net|os)(?:\/.*)?$/;
const isOfPackage = (path: string): boolean => posix(path).includes('/node_modules/');

/** Reads every file itself, so that the bytes that are bundled are the bytes whose digest is noted. */
function reading(request: BundleRequest, { files, reaches }: { files: SeenFile[]; reaches: Reach[] }): Plugin {
  const folder = dirname(request.outfile);
  const contentsOf = (path: string): string | Buffer => {
    const { seen, bytes } = readSeen(path);
    files.push(seen);
    if (!request.prelude || !hasCode(path)) return bytes;
    const text = bytes.toString('utf8').replace(/^#!.*/, '');
    return request.prelude(posix(relative(folder, path)), text) + text;
  };
  const load = ({ path }: { path: string }): OnLoadResult => {
    try {
      return { contents: contentsOf(path), loader: 'default' };
    } catch (error) {
      // Not thrown: esbuild would point at our own code.
      return { errors: [{ text: `${posix(relative(dirname(request.entry), path))} can not be read: ${messageOf(error)}` }] };
    }
  };
  return {
    name: 'dsbuild',
    setup(build) {
      build.onResolve({ filter: /^dsbuild$/ }, () => ({ path: request.face, external: true }));
      build.onResolve({ filter: reachingModules }, ({ path, importer }) => {
        if (!isOfPackage(importer)) reaches.push({ file: importer, module: path });
        return undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'file' }, load);
    },
  };
}

/**
 * Bundles a module. tsconfig.json is not looked at: it would be an input that nobody counts.
 * esbuild is loaded here and nowhere else, as its start costs more than everything else of a fresh build.
 * @throws esbuild's BuildFailure.
 */
export async function bundle(request: BundleRequest): Promise<Bundle> {
  const { build } = await import('esbuild');
  const files: SeenFile[] = [];
  const reaches: Reach[] = [];
  const { outputFiles = [] } = await build({
    entryPoints: [request.entry],
    outfile: request.outfile,
    absWorkingDir: dirname(request.entry),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    minifyWhitespace: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    tsconfigRaw: '{}',
    logLevel: 'silent',
    ...request.options,
    plugins: [reading(request, { files, reaches })],
  });
  const ending = (end: string): string => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  return {
    text: ending('.mjs'),
    map: ending('.map'),
    files: files.sort((a, b) => byCodeUnit(a.path, b.path)),
    reaches: reaches.sort((a, b) => byCodeUnit(a.file, b.file) || byCodeUnit(a.module, b.module)),
  };
}
