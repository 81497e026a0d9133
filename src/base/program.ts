import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(import.meta.url);
/** Whether this runs from TypeScript (tests) or from `dist`. */
const isSource = here.endsWith('.ts');

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder));
}

/** Folder of dsbuild's own package. */
export const programRoot = rootOf(dirname(here));

/**
 * URL of one of dsbuild's modules that are loaded by name: the public face, the worker, the rules. They are found from the package's root,
 * because the build joins other modules into shared files, which lie elsewhere.
 * @param name without extension, such as `src/index` or `rules/shard`.
 */
export function moduleUrl(name: string): string {
  return pathToFileURL(isSource ? join(programRoot, `${name}.ts`) : join(programRoot, 'dist', `${name}.js`)).href;
}
