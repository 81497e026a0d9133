import { BuildError } from '../base/errors.ts';
import { type Change, changesBetween } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { WhyReport } from './api.ts';
import { readLastPlan } from './last-plan.ts';
import type { Project } from './project.ts';
import { statusOf } from './status.ts';
import { survey } from './survey.ts';
import { unknownTarget } from './unknown-target.ts';

/** Says why a target would be rebuilt: from the manifests that are hashed, so that it can not disagree with the key. */
export async function why(project: Project, name: string): Promise<WhyReport> {
  const target = project.graph.get(name);
  if (!target) throw unknownTarget(name, project);
  return survey(project, { targets: [target.name] }, (run) => {
    const build = run.targets.get(target);
    if (!build) throw new BuildError('unknown-target', { message: `the target "${name}" is not part of this build` });
    const { state, why: reasons } = statusOf(build, run);
    const last = readLastPlan(project.stateDir, target.name);
    const now = build.currentManifest();
    const changes: readonly Change[] = last && now && state !== 'fresh' ? changesBetween(last.manifest as Manifest, now) : [];
    return { target: target.name, state, changes, reasons: state === 'fresh' ? ['nothing changed'] : reasons };
  });
}
