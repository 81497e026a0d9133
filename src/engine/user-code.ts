import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { keepModule } from '../config/kept-module.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import { definedRules } from '../rule/rule.ts';
import { isUserFunction, type UserFunction, userDefinition } from '../rule/user-function.ts';
import type { BuildRun } from './build-run.ts';
import { faceUrl } from './project.ts';

/** What stands for a function of the user's in a key. */
export const manifestOfUse = ({ definition, does, options, bundle }: UserFunction): Manifest => ({
  definition,
  does,
  options: options as Manifest,
  bundle,
});

/** Lays a bundle of a module of the user's where workers load it from. */
async function layBundle(file: string, run: BuildRun): Promise<Digest> {
  const { digest, path } = await run.bundles.get(file, () => keepModule({ file, stateDir: run.project.stateDir, faceUrl }));
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
