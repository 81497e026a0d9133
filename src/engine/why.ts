import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { upstreamOf } from '../graph/upstream.ts';
import { withNames } from '../plan/contents.ts';
import { type Change, changesBetween } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { WhyReport } from './api.ts';
import type { BuildRun } from './build-run.ts';
import { readLastPlan } from './last-plan.ts';
import { ownFolderProblems } from './out-problems.ts';
import type { Project } from './project.ts';
import { isOfInput, isOfSources, reasonsFor } from './reasons.ts';
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
    const changes = state === 'fresh' ? [] : changesOf(build, project);
    const outProblems = [target, ...published].flatMap((one) => ownFolderProblems(run, run.targets.get(one)));
    if (state === 'fresh') return { target: target.name, state, changes, reasons: ['nothing changed'], outProblems };
    if (state === 'failed' || state === 'blocked')
      return { target: target.name, state, changes, reasons: [unbuiltBecause(build)], outProblems };
    const own = await ownReasons(project, build, run);
    const roots = own.some(isOfInput) ? await rootReasons(project, target, run) : [];
    return { target: target.name, state, changes, reasons: [...own, ...roots], outProblems };
  });
}

/** What its manifest has that it had not when it was built last. */
function changesOf(build: TargetBuild, { stateDir }: Project): readonly Change[] {
  const last = readLastPlan(stateDir, build.target.name);
  const now = build.currentManifest();
  return last && now ? withNames(changesBetween(last.manifest as Manifest, now), { before: last.names ?? {}, now: build.names() }) : [];
}

/** Why this target is not fresh, with the very lines of edited sources. */
async function ownReasons(project: Project, build: TargetBuild, run: BuildRun): Promise<readonly string[]> {
  const isEdited = changesOf(build, project).some(isOfSources);
  const lines = isEdited ? await linesOf(project, build.target) : undefined;
  return lines ? reasonsFor(build, run, { inputs: {}, lines }) : build.why;
}

/** What changed in targets upstream, so that this one has other inputs. */
async function rootReasons(project: Project, target: GraphTarget, run: BuildRun): Promise<string[]> {
  const roots: string[] = [];
  for (const upstream of upstreamOf(target)) {
    const build = run.targets.get(upstream);
    if (!build?.why.some((reason) => !isOfInput(reason))) continue;
    const own = (await ownReasons(project, build, run)).filter((reason) => !isOfInput(reason));
    roots.push(
      ...own.map((reason) => (reason === 'never built' ? `${upstream.name} was never built` : `${upstream.name} is stale: ${reason}`)),
    );
  }
  return roots;
}

/** Lines of its sources that changed, where targets that read them still know what they were. */
function linesOf(project: Project, target: GraphTarget): Promise<readonly string[] | undefined> {
  const readers = project.graph.targets.filter(({ inputs }) => inputs.some(({ from }) => from === target));
  return survey(project, { targets: [target, ...readers].map(({ name }) => name) }, async (run) => {
    const { changedLines } = await import('./changed-lines.ts');
    return changedLines(run.targets.get(target) as TargetBuild, run);
  });
}
