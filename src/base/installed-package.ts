import { dirname, join, resolve } from 'node:path';
import { readIfThere } from './files.ts';

export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

/** An npm package in the nearest node_modules folder, from a folder upward. */
export function installedPackage(name: string, from: string): InstalledPackage | undefined {
  for (let at = resolve(from); ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    const manifest = readIfThere(join(folder, 'package.json'));
    if (manifest !== undefined) return { folder, version: String((JSON.parse(manifest.toString()) as { version?: unknown }).version) };
    if (dirname(at) === at) return undefined;
  }
}
