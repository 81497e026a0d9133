import { BuildError } from '../base/errors.ts';
import type { Reach } from '../config/esbuild.ts';
import { type KeptModule, keepModule } from '../config/kept-module.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Manifest } from '../plan/manifest.ts';
import { type Rule, rulesAfter, stackOf } from '../rule/rule.ts';
import { type Definition, definedAfter, isUserFunction, type UserFunction, userDefinition } from '../rule/user-function.ts';
import type { BuildRun } from './build-run.ts';
import { filesOfBundle } from './contents.ts';
import { shownPath } from './places.ts';
import { faceUrl } from './project.ts';

/** What stands for a function of the user's in a key. */
export const manifestOfUse = ({ definition, does, options, bundle }: UserFunction): Manifest => ({
  definition,
  does,
  options: options as Manifest,
  bundle,
});

/** Lays a bundle of a module of the user's where workers load it from. */
async function layBundle(file: string, run: BuildRun): Promise<KeptModule> {
  const { stateDir, root } = run.project;
  const kept = await run.bundles.get(file, () => keepModule({ file, stateDir, faceUrl }));
  run.bundlePaths.set(kept.digest, kept.path);
  run.contents.add(kept.digest, { name: shownPath(root, file), files: filesOfBundle(kept.files, root) });
  return kept;
}

/** Said once of each module: what its functions read by such an import changes unseen. A rule's steps may have files of their own to read. */
function warnOfReaches(reaches: readonly Reach[], run: BuildRun): void {
  for (const { file, module } of reaches) {
    if (run.reachesTold.has(file)) continue;
    run.reachesTold.add(file);
    run.warn({
      code: 'impure-code',
      message: `it imports ${module}: what it reads by that is in no key, so that nothing is built again when it changes`,
      where: shownPath(run.project.root, file),
      hint: "Import the data itself, such as `import words from './words.json'`: what is imported is in the key.",
    });
  }
}

/** A rule of the user's own is loaded by workers from a bundle of its module, whose digest is in all its keys. Built-in rules have none. */
export async function resolveRule(target: GraphTarget, run: BuildRun): Promise<void> {
  const { rule } = target;
  const file = run.project.places.moduleOf(stackOf(rule));
  const other = namesake(rule, file, run);
  if (other) throw sameName({ what: 'rule', name: rule.name, stack: stackOf(other) }, run);
  if (file) run.ruleBundles.set(target.rule.name, (await layBundle(file, run)).digest);
}

/** A worker finds a function in the bundle of its module by its name: of two, it would take the last. */
function assertFound(definition: Definition, file: string, run: BuildRun): void {
  const other = definedAfter(definition).find(({ stack }) => run.project.places.moduleOf(stack) === file);
  if (other) throw sameName({ what: other.does === 'adapt' ? 'adapter' : other.does, name: other.name, stack: other.stack }, run);
}

function sameName({ what, name, stack }: { what: string; name: string; stack: string }, { project }: BuildRun): BuildError {
  const where = project.places.locate(stack);
  return new BuildError('bad-config', {
    message: `there is another ${what} with the name "${name}"`,
    ...(where !== undefined && { where }),
    hint: 'Give one of them another name: results are kept, and workers find the code, by it.',
  });
}

/** A rule with the name of another one: of a target of this build, or, in one module, of one that was defined later and hides it. */
function namesake(rule: Rule, file: string | undefined, { project, rulesByName }: BuildRun): Rule | undefined {
  const first = rulesByName.get(rule.name) ?? rule;
  rulesByName.set(rule.name, first);
  if (first !== rule) return first;
  return file === undefined ? undefined : rulesAfter(rule).find((other) => project.places.moduleOf(stackOf(other)) === file);
}

/** Gives a user's function the digest of its module's bundle, and lays the bundle where workers load it from. */
export async function withBundle(use: UserFunction, run: BuildRun): Promise<UserFunction> {
  if (!isUserFunction(use) || use.bundle) return use;
  const { places } = run.project;
  const definition = userDefinition(use);
  const file = places.moduleOf(definition.stack);
  if (!file) throw new BuildError('no-definition', { message: `the module that defines "${use.definition}" can not be found` });
  assertFound(definition, file, run);
  const { digest, reaches } = await layBundle(file, run);
  warnOfReaches(reaches, run);
  return { ...use, bundle: digest };
}
