import { dirname, join } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { bundle, type Reach } from './esbuild.ts';
import type { SeenFile } from './identity.ts';

/** A module of the user's (`defineFilter`, `defineAdapter`, a rule of their own) as workers load it. */
export interface UserModule {
  /**
   * BLAKE3 of the bundle with `dsbuild` left open: the same wherever the module, its project or dsbuild lies.
   * Whitespace and comments are not in it; packages that it imports are.
   */
  readonly digest: Digest;
  /** One ES module, to be written as `.mjs`; its `dsbuild` is the one at `faceUrl`. */
  readonly text: string;
  /** Source map of `text`; sources are relative to the folder of the module. */
  readonly map: string;
  /** All files that went into it. */
  readonly files: readonly SeenFile[];
  readonly reaches: readonly Reach[];
}

/** Stands for dsbuild's own module in what is hashed. */
const placeholder = 'dsbuild:face';

/** CommonJS packages ask for Node's modules by `require`, which an ES module has not. */
const banner = 'import{createRequire as dsbuildCreateRequire}from"node:module";const require=dsbuildCreateRequire(import.meta.url);';

/**
 * Bundles a module with everything that it imports, packages included: what is not in the bundle would not be in the key.
 * `process.env` is empty in it, for the same reason.
 * @throws {BuildError} `bad-config` with file, line and column.
 */
export async function bundleModule(file: string, { faceUrl }: { faceUrl: string }): Promise<UserModule> {
  const made = await bundle({
    entry: file,
    outfile: join(dirname(file), 'bundle.mjs'),
    face: placeholder,
    // Short identifiers, because the long ones are made from the names of files and folders; functions keep their `name`.
    options: { packages: 'bundle', minifyIdentifiers: true, keepNames: true, define: { 'process.env': '{}' }, banner: { js: banner } },
  }).catch(async (error: unknown) => {
    const { bundlingError, isBuildFailure } = await import('./load-errors.ts');
    throw isBuildFailure(error) ? bundlingError(error, dirname(file)) : error;
  });
  return {
    digest: digestHex(made.text),
    text: made.text.replaceAll(JSON.stringify(placeholder), JSON.stringify(faceUrl)),
    map: made.map,
    files: made.files,
    reaches: made.reaches,
  };
}
