import type { Digest } from '../base/digest.ts';
import type { PutOutcome } from '../cache/remote/remote.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { keyOf, type Manifest } from '../plan/manifest.ts';
import type { Rule } from '../rule/rule.ts';
import type { BuildRun } from './build-run.ts';
import type { TargetBuild } from './target-build.ts';

/**
 * What targets have in common whose steps lie in the same packs: all that is in their keys but what they read. A target whose inputs changed
 * so finds with one listing what is known of the inputs that did not.
 */
export function remoteHead(manifest: Manifest, rule: Rule): Digest {
  const options = Object.entries((manifest['options'] ?? {}) as Manifest);
  const isSource = ([name]: readonly [string, unknown]): boolean => rule.options[name]?.shape.type === 'sources';
  return keyOf({ ...manifest, inputs: {}, options: Object.fromEntries(options.filter((option) => !isSource(option))) });
}

/** Sends what a target came to, in the background. @param plan one that came to its end. */
export function shareTarget(build: TargetBuild, { key, plan, run }: { key: Digest; plan: PlanRun; run: BuildRun }): Promise<PutOutcome> {
  const { target, result } = build;
  const { remote, locations } = run;
  const head = build.remoteHead();
  if (!remote || !result || head === undefined) return Promise.resolve('failed');
  const parts = Object.values(plan.outputs).flatMap((output) => output.parts);
  return remote.uploads.targetEnded({ target: target.name, key, result, steps: plan.steps, parts, head, locations });
}
