import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { bundleModule } from '../config/user-modules.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest, ManifestValue } from '../plan/manifest.ts';
import type { OptionShape } from '../rule/options.ts';
import type { Part } from '../rule/part.ts';
import { definedRules } from '../rule/rule.ts';
import { isUserFunction, type UserFunction, userDefinition } from '../rule/user-function.ts';
import type { BuildRun } from './build-run.ts';
import { faceUrl } from './project.ts';
import { resolveSources } from './resolve-sources.ts';
import { resolveTokenizer } from './resolve-tokenizer.ts';

/** A target's options as its plan sees them, and as its key does. */
export interface ResolvedOptions {
  readonly seen: Readonly<Record<string, unknown>>;
  readonly manifest: Manifest;
}

interface Resolved {
  readonly seen: unknown;
  readonly manifest: ManifestValue;
}

/** Copies a file into the store, so that nothing that happens to it later can reach a step. */
export function filePart(run: BuildRun, path: string): Part {
  try {
    const bytes = readFileSync(path);
    return { digest: run.project.store.put(bytes), form: 'file', bytes: bytes.length, facts: {}, group: '' };
  } catch (cause) {
    throw new BuildError('no-file', { message: `the file can not be read: ${(cause as Error).message}`, where: path, cause });
  }
}

type Resolver = (value: never, target: GraphTarget, run: BuildRun) => Resolved | Promise<Resolved>;

const resolvers: Partial<Record<OptionShape['type'], Resolver>> = {
  file: (path: string, target, run) => {
    const part = filePart(run, resolve(target.base, path));
    return { seen: part, manifest: { digest: part.digest } };
  },
  files: (paths: readonly string[], target, run) => {
    const parts = Object.fromEntries(paths.map((path) => [path, filePart(run, resolve(target.base, path))]));
    return { seen: parts, manifest: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.digest])) };
  },
  tokenizer: resolveTokenizer as Resolver,
  sources: resolveSources as Resolver,
  uses: async (given: UserFunction | readonly UserFunction[], _target, run) => {
    const uses = await Promise.all((Array.isArray(given) ? given : [given]).map((use: UserFunction) => withBundle(use, run)));
    return { seen: uses, manifest: uses.map(manifestOfUse) };
  },
  // Never in a key: the names of secrets say nothing about what comes out.
  secrets: (given: Readonly<Record<string, unknown>>) => ({ seen: Object.keys(given), manifest: undefined }),
};

export const manifestOfUse = ({ definition, does, options, bundle }: UserFunction): Manifest => ({
  definition,
  does,
  options: options as Manifest,
  bundle,
});

/** Lays a bundle of a module of the user's where workers load it from. */
async function layBundle(file: string, run: BuildRun): Promise<Digest> {
  const { digest, text } = await run.bundles.get(file, () => bundleModule(file, { faceUrl }));
  const path = join(run.project.stateDir, 'modules', `${digestHex(text)}.mjs`);
  if (!run.bundlePaths.has(digest)) writeFileAtomic(path, text);
  run.bundlePaths.set(digest, path);
  return digest;
}

/** A rule of the user's own is loaded by workers from a bundle of its module, whose digest is in all its keys. Built-in rules have none. */
export async function resolveRule(target: GraphTarget, run: BuildRun): Promise<void> {
  const stack = definedRules().get(target.rule.name)?.stack;
  const file = stack && run.project.places.moduleOf(stack);
  if (file) run.ruleBundles.set(target.rule.name, await layBundle(file, run));
}

/** Gives a user's function the digest of its module's bundle, and lays the bundle where workers load it from. */
export async function withBundle(use: UserFunction, run: BuildRun): Promise<UserFunction> {
  if (!isUserFunction(use) || use.bundle) return use;
  const definition = userDefinition(use);
  const file = definition && run.project.places.moduleOf(definition.stack);
  if (!file) throw new BuildError('no-definition', { message: `the module that defines "${use.definition}" can not be found` });
  return { ...use, bundle: await layBundle(file, run) };
}

/** Turns file-like options into parts; all else is the same for plan and key. */
export async function resolveOptions(target: GraphTarget, run: BuildRun): Promise<ResolvedOptions> {
  await resolveRule(target, run);
  const seen: Record<string, unknown> = {};
  const manifest: Record<string, ManifestValue> = {};
  for (const [name, value] of Object.entries(target.options)) {
    const shape = target.rule.options[name]?.shape;
    const resolver = shape && resolvers[shape.type];
    try {
      const resolved = resolver ? await resolver(value as never, target, run) : { seen: value, manifest: value as ManifestValue };
      seen[name] = resolved.seen;
      if (resolved.manifest !== undefined) manifest[name] = resolved.manifest;
    } catch (error) {
      throw error instanceof BuildError ? error.at(`${target.where} ${target.name}.${name}`) : error;
    }
  }
  return { seen, manifest };
}
