import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, transform } from 'esbuild';
import { digestHex } from '../../src/base/digest.ts';
import { acceptCommand } from './cases.ts';

/** What `<fixtures>/<rule>/source.json` holds: the code that a version of a rule is made of. */
export interface SourcePin {
  version: number;
  digest: string;
  /** Digest of each file, so that a change can be named. */
  files: Readonly<Record<string, string>>;
}

/** Rules' names and files: every `.ts` directly in a folder. */
export function ruleFiles(folder: string): { rule: string; file: string }[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  return names.sort().map((name) => ({ rule: name.slice(0, -'.ts'.length), file: join(folder, name) }));
}

/** Digest of a file's code: comments, types and white space do not count. */
async function codeDigest(file: string): Promise<string> {
  const loader = file.endsWith('.tsx') ? 'tsx' : file.endsWith('.json') ? 'json' : 'ts';
  const { code } = await transform(readFileSync(file, 'utf8'), { loader, minifyWhitespace: true, legalComments: 'none', target: 'es2023' });
  return digestHex(code);
}

/**
 * The pin of a rule's transitive source as it is now: all files of the checkout that its bundle takes code from.
 *
 * @param root folder that the files' names are relative to.
 */
export async function sourcePin(file: string, { root, version }: { root: string; version: number }): Promise<SourcePin> {
  const { metafile } = await build({
    entryPoints: [file],
    absWorkingDir: resolve(root),
    bundle: true,
    metafile: true,
    write: false,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
  });
  const names = Object.keys(metafile.inputs).sort();
  const entries = await Promise.all(names.map(async (name) => [name, await codeDigest(join(root, name))] as const));
  return {
    version,
    digest: digestHex(entries.map(([name, digest]) => `${digest} ${name}\n`).join('')),
    files: Object.fromEntries(entries),
  };
}

const pinFile = (fixtures: string, rule: string): string => join(fixtures, rule, 'source.json');

export function recordPin(fixtures: string, rule: string, pin: SourcePin): void {
  const file = pinFile(fixtures, rule);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(pin, null, 2)}\n`);
}

function changedFiles(was: SourcePin['files'], is: SourcePin['files']): string {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.filter((name) => was[name] !== is[name]).join(', ');
}

/** What is wrong with a rule's pin, as sentences; nothing when code and version are as pinned. */
export function judgePin(fixtures: string, rule: string, now: SourcePin): string[] {
  const file = pinFile(fixtures, rule);
  const accept = `${acceptCommand} ${rule}`;
  if (!existsSync(file)) return [`the source of ${rule} is not pinned; pin it: ${accept}`];
  const pinned = JSON.parse(readFileSync(file, 'utf8')) as SourcePin;
  if (now.version < pinned.version)
    return [`${rule} is version ${now.version}, but version ${pinned.version} is pinned: versions only rise`];
  if (now.version > pinned.version) return [`${rule} is now version ${now.version}; pin its source: ${accept}`];
  if (now.digest === pinned.digest) return [];
  return [
    `the code of ${rule} changed, but it is still version ${now.version}: ${changedFiles(pinned.files, now.files)}.`,
    `Raise its version if any input could give other bytes; if none can, say so: ${accept}`,
  ];
}
