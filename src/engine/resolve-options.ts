import { resolve } from 'node:path';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest, ManifestValue } from '../plan/manifest.ts';
import type { OptionShape } from '../rule/options.ts';
import type { Part } from '../rule/part.ts';
import type { UserFunction } from '../rule/user-function.ts';
import type { BuildRun } from './build-run.ts';
import { filePart } from './file-part.ts';
import { shownPath } from './places.ts';
import { resolveSources } from './resolve-sources.ts';
import { resolveTokenizer } from './resolve-tokenizer.ts';
import { manifestOfUse, resolveRule, withBundle } from './user-code.ts';

/** A target's options as its plan sees them, and as its key does. */
export interface ResolvedOptions {
  readonly seen: Readonly<Record<string, unknown>>;
  readonly manifest: Manifest;
}

interface Resolved {
  readonly seen: unknown;
  readonly manifest: ManifestValue;
}

interface Place {
  readonly target: GraphTarget;
  readonly run: BuildRun;
  readonly shape: OptionShape;
}

type Resolver = (value: never, place: Place) => Resolved | Promise<Resolved>;

const resolvers: Partial<Record<OptionShape['type'], Resolver>> = {
  file: (path: string, { target, run }) => {
    const part = namedFile(path, target, run);
    return { seen: part, manifest: { digest: part.digest } };
  },
  files: (paths: readonly string[], { target, run }) => {
    const parts = Object.fromEntries(paths.map((path) => [path, namedFile(path, target, run)]));
    return { seen: parts, manifest: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.digest])) };
  },
  tokenizer: (reference: string, place) => resolveTokenizer(reference, place),
  sources: (given: never, { target, run }) => resolveSources(given, target, run),
  uses: async (given: UserFunction | readonly UserFunction[], { run }) => {
    const uses = await Promise.all((Array.isArray(given) ? given : [given]).map((use: UserFunction) => withBundle(use, run)));
    return { seen: uses, manifest: uses.map(manifestOfUse) };
  },
  // Never in a key: the names of secrets say nothing about what comes out.
  secrets: (given: Readonly<Record<string, unknown>>) => ({
    seen: Object.fromEntries(Object.keys(given).map((name) => [name, name])),
    manifest: undefined,
  }),
};

function namedFile(path: string, target: GraphTarget, run: BuildRun): Part {
  const file = resolve(target.base, path);
  const part = filePart(run, file);
  run.contents.add(part.digest, { name: shownPath(run.project.root, file) });
  return part;
}

/** Types of options that are not in a key as the config gives them. */
export const resolvedOptions: ReadonlySet<string> = new Set(Object.keys(resolvers));

/** Turns file-like options into parts; all else is the same for plan and key. */
export async function resolveOptions(target: GraphTarget, run: BuildRun): Promise<ResolvedOptions> {
  await resolveRule(target, run);
  const seen: Record<string, unknown> = {};
  const manifest: Record<string, ManifestValue> = {};
  for (const [name, value] of Object.entries(target.options)) {
    const shape = target.rule.options[name]?.shape;
    const resolver = shape && resolvers[shape.type];
    try {
      const resolved = resolver
        ? await resolver(value as never, { target, run, shape })
        : { seen: value, manifest: value as ManifestValue };
      seen[name] = resolved.seen;
      if (resolved.manifest !== undefined) manifest[name] = resolved.manifest;
    } catch (error) {
      throw error instanceof BuildError ? error.at(`${target.where} ${target.name}.${name}`) : error;
    }
  }
  return { seen, manifest };
}
