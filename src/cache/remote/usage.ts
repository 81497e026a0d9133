import type { RemoteObject } from './layout.ts';

interface Usage {
  objects: number;
  bytes: number;
}

/** What one scope holds: records of targets, packs of results, contents. */
export type ScopeUsage = { readonly scope: string } & Readonly<Record<RemoteObject['kind'], Usage>>;

/** Counts one more object of a scope. */
export function addUsage(scopes: Map<string, ScopeUsage>, { scope, kind }: RemoteObject & { scope: string }, bytes: number): void {
  let usage = scopes.get(scope);
  if (!usage) {
    usage = { scope, target: { objects: 0, bytes: 0 }, pack: { objects: 0, bytes: 0 }, blob: { objects: 0, bytes: 0 } };
    scopes.set(scope, usage);
  }
  usage[kind].objects++;
  usage[kind].bytes += bytes;
}
