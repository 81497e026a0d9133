import { join } from 'node:path';
import { readIfThere } from '../../base/files.ts';
import type { Writer } from './writer.ts';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Notes dsbuild as a development dependency, in the file's own indentation; undefined if it is noted, or the file can not be understood. */
function withDependency(text: string, version: string): string | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(manifest)) return undefined;
  const sections = [manifest['dependencies'], manifest['devDependencies'], manifest['optionalDependencies']];
  if (manifest['name'] === 'dsbuild' || sections.some((section) => isObject(section) && 'dsbuild' in section)) return undefined;
  const devDependencies = { ...(manifest['devDependencies'] as object | undefined), dsbuild: `^${version}` };
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? '  ';
  return `${JSON.stringify({ ...manifest, devDependencies }, null, indent)}\n`;
}

/** So that an editor knows the types, and CI runs the same version: the dependency, in a package.json that is there or in a small one. */
export function noteDependency(writer: Writer, { cwd, version }: { cwd: string; version: string }): void {
  const text = readIfThere(join(cwd, 'package.json'))?.toString('utf8');
  const fresh = { private: true, type: 'module', devDependencies: { dsbuild: `^${version}` } };
  const wanted = text === undefined ? `${JSON.stringify(fresh, null, 2)}\n` : withDependency(text, version);
  if (wanted === undefined) writer.kept.push('package.json');
  else writer.write('package.json', wanted, true);
}
