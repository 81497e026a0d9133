import { sep } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { byCodeUnit } from '../base/names.ts';
import type { SeenFile } from '../config/identity.ts';
import type { NamedContent, Names } from '../plan/contents.ts';
import { entriesOf, type Manifest } from '../plan/manifest.ts';
import { shownPath } from './places.ts';

/** What digests of a build's manifests are of, so that `why` can name files. */
export class Contents {
  readonly #named = new Map<Digest, Map<string, NamedContent>>();

  add(digest: Digest, content: NamedContent): void {
    const known = this.#named.get(digest) ?? new Map<string, NamedContent>();
    this.#named.set(digest, known.set(content.name, content));
  }

  /** Of those that a target's manifest has. */
  in({ code, options }: Manifest): Names {
    const { sources, ...others } = (options ?? {}) as Manifest;
    // Sources are told of file by file elsewhere, and there may be very many.
    const { adapts } = (sources ?? {}) as Manifest;
    const digests = new Set(entriesOf({ code, adapts, others }).map(({ value }) => value.slice(1, -1)));
    return Object.fromEntries([...digests].sort().flatMap((digest) => this.#entry(digest)));
  }

  #entry(digest: Digest): [Digest, NamedContent[]][] {
    const known = this.#named.get(digest);
    return known ? [[digest, [...known.values()].sort((a, b) => byCodeUnit(a.name, b.name))]] : [];
  }
}

const packageFolder = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;

/** The files that a module was bundled from, by the names that people know: all of a package as one. */
export function filesOfBundle(files: readonly SeenFile[], root: string): Readonly<Record<string, Digest>> {
  const byName = new Map<string, Digest[]>();
  for (const { path, digest } of files) {
    const [, ofPackage] = packageFolder.exec(path) ?? [];
    const name = ofPackage === undefined ? shownPath(root, path) : `the package ${ofPackage.replaceAll(sep, '/')}`;
    byName.set(name, [...(byName.get(name) ?? []), digest]);
  }
  return Object.fromEntries(
    [...byName].map(([name, digests]) => [name, digests.length === 1 ? (digests[0] as Digest) : digestHex(digests.join())]),
  );
}
