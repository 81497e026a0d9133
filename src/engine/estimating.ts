import { formatBytes } from '../base/bytes.ts';
import type { BuildEstimate } from '../base/events.ts';
import { freeBytes } from '../base/files.ts';
import { PendingPart } from '../execute/pending.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { type StepRun, workedOn } from '../execute/step-run.ts';
import { estimate, type StepsNow, type TargetNow } from '../plan/estimate.ts';
import { changesBetween } from '../plan/explain.ts';
import type { Manifest } from '../plan/manifest.ts';
import { type BuildRun, jobsOf } from './build-run.ts';
import { readLastPlan } from './last-plan.ts';
import { readRates } from './rates-file.ts';
import type { TargetBuild } from './target-build.ts';

/**
 * What a build or a dry run will come to, from what its plans have asked for so far and what runs on record show. Undefined while nothing is
 * on record.
 */
export function estimateOf(run: BuildRun): BuildEstimate | undefined {
  const { project, options } = run;
  const rates = readRates(project.stateDir);
  if (Object.keys(rates.kinds).length === 0) return undefined;
  const wanted = new Set([...run.targets.keys()].map(({ name }) => name));
  const targets = [...run.targets.values()].map((build) => targetNow(build, run, wanted));
  const estimated = estimate(targets, { rates, jobs: jobsOf(project, options) });
  // A build reads no source again that a dry run has looked at.
  return options.dryRun ? estimated : { ...estimated, tookMs: estimated.tookMs + run.scanMs };
}

function targetNow(build: TargetBuild, run: BuildRun, wanted: ReadonlySet<string>): TargetNow {
  const { target, plan, state, result } = build;
  const isOver = state === 'built' ? build.isExact : state === 'failed' || plan?.isOver === true;
  const main = result && Object.values(result.outputs)[0];
  return {
    name: target.name,
    rule: target.rule.name,
    needs: [...new Set(target.inputs.map(({ from }) => from.name))].filter((name) => wanted.has(name)),
    state: state === 'kept' ? 'kept' : isOver ? 'planned' : 'open',
    steps: plan ? stepsNow(plan, run) : new Map(),
    ...(state === 'kept' && main && { kept: { bytes: main.bytes, parts: main.parts } }),
    isChanged: isChanged(build, run),
    reusing: new Set(run.options.paranoid ? [] : target.rule.steps.filter(({ rowPure }) => rowPure !== undefined).map(({ name }) => name)),
  };
}

/** Whether it differs in more than its inputs from what it was when it was last built. */
function isChanged(build: TargetBuild, run: BuildRun): boolean {
  const last = readLastPlan(run.project.stateDir, build.target.name);
  const now = build.currentManifest();
  if (!last || run.isForced(build.target.name)) return true;
  return now !== undefined && changesBetween(withoutInputs(last.manifest), withoutInputs(now)).length > 0;
}

const withoutInputs = ({ inputs: _, ...manifest }: Manifest): Manifest => manifest;

/** Steps of a plan by their names, as they stand. */
function stepsNow(plan: PlanRun, run: BuildRun): Map<string, StepsNow> {
  const { ways } = run.tally(plan);
  const found = new Map<string, { -readonly [N in keyof StepsNow]: StepsNow[N] }>();
  for (const step of plan.steps) {
    let now = found.get(step.name);
    if (!now) {
      now = { asked: 0, bytesAsked: 0, toRun: 0, bytesToRun: 0, unsized: 0 };
      found.set(step.name, now);
    }
    const bytes = bytesOf(step);
    now.asked++;
    now.bytesAsked += bytes ?? 0;
    if (step.result) continue;
    now.toRun++;
    if (bytes === undefined) now.unsized++;
    else now.bytesToRun += bytes;
  }
  // Steps that ran before anybody looked.
  for (const [name, byWay] of ways) {
    const now = found.get(name);
    for (const { steps, bytesIn } of Object.values(byWay)) {
      if (!now) continue;
      now.toRun += steps;
      now.bytesToRun += bytesIn;
    }
  }
  return found;
}

/** What a step works on; undefined while that is in the making. */
function bytesOf(step: StepRun): number | undefined {
  let bytes = 0;
  for (const part of workedOn(step.inputs)) {
    if (part instanceof PendingPart && !part.step.outputs) return undefined;
    bytes += part.bytes;
  }
  return bytes;
}

/** Says so when what a build will write does not fit on the disk that it is written to. It is a guess: nothing is ever refused for it. */
export function warnOfDisk(run: BuildRun, { bytesOut, isAtLeast, isExact }: BuildEstimate): void {
  const free = freeBytes(run.project.root);
  if (bytesOut <= free) return;
  const about = isAtLeast ? 'at least ' : isExact ? 'about ' : '~';
  run.warn({
    code: 'disk-short',
    message: `this build will write ${about}${formatBytes(bytesOut)}, and ${formatBytes(free)} are free on this disk`,
    where: run.project.root,
    hint: 'Free some space now, or `dsbuild clean`. If the disk gets full the build stops, and all that it made until then is kept.',
  });
}
