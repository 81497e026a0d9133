import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { type Change, changesBetween } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { WhyReport } from './api.ts';
import { readLastPlan } from './last-plan.ts';
import { ownFolderProblems } from './out-problems.ts';
import type { Project } from './project.ts';
import { isOfSources, reasonsFor } from './reasons.ts';
import { stateOf } from './status.ts';
import { survey } from './survey.ts';
import type { TargetBuild } from './target-build.ts';
import { unbuiltBecause } from './target-end.ts';
import { unknownTarget } from './unknown-target.ts';

/** Says why a target would be rebuilt: from the manifests that are hashed, so that it can not disagree with the key. */
export async function why(project: Project, name: string): Promise<WhyReport> {
  const target = project.graph.get(name);
  if (!target) throw unknownTarget(name, project);
  const published = project.graph.targets.filter(({ filesOf }) => filesOf === target.name);
  return survey(project, { targets: [target, ...published].map((one) => one.name) }, async (run) => {
    const build = run.targets.get(target);
    if (!build) throw new BuildError('unknown-target', { message: `the target "${name}" is not part of this build` });
    const state = stateOf(build, run);
    const reasons = build.state === 'failed' ? [unbuiltBecause(build)] : build.why;
    const last = readLastPlan(project.stateDir, target.name);
    const now = build.currentManifest();
    const changes: readonly Change[] = last && now && state !== 'fresh' ? changesBetween(last.manifest as Manifest, now) : [];
    const outProblems = [target, ...published].flatMap((one) => ownFolderProblems(run, run.targets.get(one)));
    if (state === 'fresh') return { target: target.name, state, changes, reasons: ['nothing changed'], outProblems };
    const lines = changes.some(isOfSources) ? await linesOf(project, target) : undefined;
    return { target: target.name, state, changes, reasons: lines ? reasonsFor(build, run, { inputs: {}, lines }) : reasons, outProblems };
  });
}

/** Lines of its sources that changed, where targets that read them still know what they were. */
function linesOf(project: Project, target: GraphTarget): Promise<readonly string[] | undefined> {
  const readers = project.graph.targets.filter(({ inputs }) => inputs.some(({ from }) => from === target));
  return survey(project, { targets: [target, ...readers].map(({ name }) => name) }, async (run) => {
    const { changedLines } = await import('./changed-lines.ts');
    return changedLines(run.targets.get(target) as TargetBuild, run);
  });
}
