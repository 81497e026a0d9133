import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BuildError } from '../../src/base/errors.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';

/** A folder with a config and a small stand-in for dsbuild's public module. */
export interface Project {
  readonly folder: string;
  readonly faceUrl: string;
  path(name: string): string;
  /** Writes files. They look ten seconds old, so that their times can be trusted; `fresh` leaves the times alone. */
  write(files: Readonly<Record<string, string>>, how?: 'fresh'): void;
  load(params?: Readonly<Record<string, string>>, env?: Readonly<Record<string, string>>): Promise<LoadedConfig>;
}

const source = new URL('../../src/', import.meta.url).href;

const face = `
export { defineConfig, local } from '${source}config/define.ts';
export { param } from '${source}config/param.ts';
export { secret } from '${source}config/secret.ts';
export { BuildError } from '${source}base/errors.ts';
export { defineAdapter, defineFilter, drop, keep } from '${source}rule/user-function.ts';
export * from '${source}rule/options.ts';
import { defineRule, many } from '${source}rule/rule.ts';
import { choice, integer, secrets, size, text } from '${source}rule/options.ts';
const rule = (about) => defineRule({ version: 1, steps: [], options: {}, plan: async () => {}, ...about });
export const read = rule({ name: 'read', inputs: {}, output: 'documents', options: { from: text().default('x'), secrets: secrets().optional() } });
export const pack = rule({
  name: 'pack', inputs: { documents: 'documents' }, output: 'shards',
  options: { length: integer({ min: 1 }).default(8), shardSize: size().default('2GB'), labels: choice('shifted', 'hf').default('shifted') },
});
`;

const folders: string[] = [];

export function removeProjects(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function createProject(files: Readonly<Record<string, string>> = {}): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dsbuild-config-')));
  folders.push(folder);
  const path = (name: string): string => join(folder, name);
  const project: Project = {
    folder,
    faceUrl: pathToFileURL(path('face/index.ts')).href,
    path,
    write(texts, how) {
      for (const [name, text] of Object.entries(texts)) {
        mkdirSync(dirname(path(name)), { recursive: true });
        writeFileSync(path(name), text);
        const then = new Date(Date.now() - 10_000);
        if (how !== 'fresh') utimesSync(path(name), then, then);
      }
    },
    load: (params = {}, env = {}) =>
      loadConfig({ file: path('datasets.config.ts'), stateDir: path('.dsbuild'), faceUrl: project.faceUrl, params, env }),
  };
  project.write({ 'package.json': '{ "type": "module" }', 'face/index.ts': face, ...files });
  return project;
}

/** The BuildError that a promise or a function ends with. */
export async function failureOf(work: Promise<unknown> | (() => unknown)): Promise<BuildError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
