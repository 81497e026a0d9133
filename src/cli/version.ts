import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** dsbuild's version, from its package.json: two folders up from the sources, three from what is compiled. */
export function version(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version: found } = JSON.parse(readFileSync(fileURLToPath(new URL(up, import.meta.url)), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'dsbuild' && found !== undefined) return found;
    } catch {
      // There is none at this height.
    }
  }
  return 'unknown';
}
