import type { Digest } from '../../base/digest.ts';
import { BuildError } from '../../base/errors.ts';

/**
 * Where things lie on a remote, below `v1/<scope>/`:
 *
 * - `blobs/ab/<digest>`: content, named by what it is;
 * - `targets/<key>`: what one target came to, with the lists of its parts;
 * - `packs/<head>/<run>-<n>`: results of many steps of targets that differ in their inputs only.
 */
const format = 'v1';

/** Results that everybody may read. */
export const mainScope = 'main';

export const allPrefix = `${format}/`;
export const scopePrefix = (scope: string): string => `${format}/${scope}/`;
export const blobName = (scope: string, digest: Digest): string => `${blobPrefix(scope)}${digest.slice(0, 2)}/${digest}`;
export const blobPrefix = (scope: string): string => `${scopePrefix(scope)}blobs/`;
export const targetName = (scope: string, key: Digest): string => `${scopePrefix(scope)}targets/${key}`;
export const packName = (scope: string, pack: string): string => `${scopePrefix(scope)}packs/${pack}`;
export const packPrefix = (scope: string, head?: Digest): string => `${scopePrefix(scope)}packs/${head === undefined ? '' : `${head}/`}`;

/** What an object of a scope is; undefined for one that dsbuild did not put there. */
export type RemoteObject =
  | { readonly kind: 'blob'; readonly digest: Digest }
  | { readonly kind: 'target'; readonly key: Digest }
  | { readonly kind: 'pack'; readonly head: Digest; readonly pack: string };

const digestForm = '[0-9a-f]{64}';
const objectForm = new RegExp(`^(?:blobs/([0-9a-f]{2})/(${digestForm})|targets/(${digestForm})|packs/(${digestForm})/([\\w.-]+))$`);

/** Reads an object's name; the scope in front of it is the first thing after the format. */
export function parseRemoteName(name: string): (RemoteObject & { readonly scope: string }) | undefined {
  const [version, scope, ...rest] = name.split('/');
  if (version !== format || scope === undefined || !isScope(scope)) return undefined;
  const [, shelf, digest, key, head, run] = objectForm.exec(rest.join('/')) ?? [];
  if (digest && shelf && digest.startsWith(shelf)) return { scope, kind: 'blob', digest };
  if (key) return { scope, kind: 'target', key };
  return head && run ? { scope, kind: 'pack', head, pack: `${head}/${run}` } : undefined;
}

export const isDigest = (value: unknown): value is Digest => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isScope = (scope: string): boolean => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(scope);

/** @throws {BuildError} `bad-scope`: a scope is one folder of the bucket, and names rights there. */
export function checkedScope(scope: string, where: string): string {
  if (isScope(scope)) return scope;
  throw new BuildError('bad-scope', {
    message: `a scope is made of lower-case letters, digits, ".", "_" and "-", but this is ${JSON.stringify(scope)}`,
    where,
    hint: 'For example main, or pr-17 for what a pull request builds.',
  });
}
