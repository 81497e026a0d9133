import { formatBytes } from '../base/bytes.ts';
import { BuildError, messageOf } from '../base/errors.ts';
import type { BuildSummary, CacheSummary, TargetSummary } from '../base/events.ts';
import { freeBytes } from '../base/files.ts';
import { limits } from '../base/limits.ts';
import { interrupted, isInterruption } from '../execute/interruption.ts';
import type { Runner } from '../execute/runner.ts';
import type { Graph, GraphTarget } from '../graph/graph.ts';
import { select } from '../graph/select.ts';
import type { BuildOptions } from './api.ts';
import { BuildRun, isSuperseded, jobsOf, superseded } from './build-run.ts';
import { Expectation } from './expectation.ts';
import { refuseUnknownGroups } from './only.ts';
import { reportProgress } from './progress.ts';
import type { Project } from './project.ts';
import { publishAll } from './publishing.ts';
import type { BuildRemote } from './remote.ts';
import { openRemote, remoteFailure } from './remote-settings.ts';
import { nameRun, unrecorded } from './run-name.ts';
import { shownError } from './shown.ts';
import { TargetBuild } from './target-build.ts';

/** Free bytes below which no build begins. */
const freeBytesMin = 64 * 1024 * 1024;

/** What is to be built: the targets named and all that they need, without what gathers over groups when only some groups are wanted. */
export function wantedTargets({ graph }: Project, { targets, tags, only }: BuildOptions): GraphTarget[] {
  const asked = select(graph, { names: targets, tags: tags ?? [] });
  if (only === undefined) return withFolders(graph, asked);
  refuseUnknownGroups(asked, only);
  const left = new Set<GraphTarget>();
  for (const target of asked) if (target.rule.gathers(target.options) || target.inputs.some(({ from }) => left.has(from))) left.add(target);
  return asked.filter((target) => !left.has(target));
}

/** A folder changes over as a whole: whoever builds shards builds the manifest beside them too. */
function withFolders(graph: Graph, asked: readonly GraphTarget[]): GraphTarget[] {
  const folders = new Set(asked.flatMap(({ out }) => out ?? []));
  const sharing = graph.targets.filter((target) => target.out !== undefined && folders.has(target.out));
  // No name means all targets.
  if (sharing.length === 0) return [...asked];
  const all = new Set([...asked, ...select(graph, { names: sharing.map(({ name }) => name), tags: [] })]);
  return graph.targets.filter((target) => all.has(target));
}

function assertFreeDisk(project: Project): void {
  const free = freeBytes(project.root);
  if (free >= freeBytesMin) return;
  throw new BuildError('disk-full', {
    message: `only ${formatBytes(free)} are free on this disk`,
    where: project.root,
    hint: 'Free some space, or `dsbuild cache gc --max 1GB`; a smaller shardSize needs less at a time.',
  });
}

/**
 * Builds targets and all that they need. A failed target makes `ok` false; a mistake in config or usage throws.
 * When a source changes while it is read, everything is planned again with what lies there now; finished steps are kept.
 */
export async function build(project: Project, options: BuildOptions, makeRunner?: () => Runner): Promise<BuildSummary> {
  const wanted = wantedTargets(project, options);
  if (!options.dryRun) assertFreeDisk(project);
  const started = performance.now();
  const { run, leave: leaveRun } = options.dryRun ? unrecorded() : nameRun(project.stateDir);
  project.emit({
    type: 'build-started',
    run,
    targets: wanted.map((target) => target.name),
    jobs: jobsOf(project, options),
    needs: Object.fromEntries(wanted.map(({ name, inputs }) => [name, [...new Set(inputs.map(({ from }) => from.name))]])),
  });
  const remote = await openRemote(project, options);
  const expectation = new Expectation();
  const beganMs = Date.now();
  // While it lasts, nothing of what it uses is collected.
  const leave = options.dryRun ? undefined : project.live.enter(beganMs);
  try {
    const passes = await buildPasses(wanted, { project, options, beganMs, remote, expectation, makeRunner });
    if (options.requireRemote) await remote?.look();
    await remote?.finish(options.superseded);
    leave?.();
    const cache = options.dryRun ? undefined : await collected(passes.at(-1) as BuildRun);
    return await summarize(passes, { name: run, tookMs: performance.now() - started, remote, expectation, cache });
  } finally {
    remote?.close();
    leave?.();
    leaveRun();
  }
}

/** Keeps the store within its size, when this build has changed it. Nobody waits for that after Ctrl-C. */
async function collected(run: BuildRun): Promise<CacheSummary | undefined> {
  const { project, scheduler } = run;
  if (!project.store.size.hasChanged || project.signal.aborted || run.isGivenUp(scheduler.stopped)) return undefined;
  try {
    const { keepBelowCap } = await import('./gc/keep-below-cap.ts');
    return keepBelowCap(project);
  } catch (error) {
    run.warn({ code: 'gc-failed', message: `the cache could not be kept within its size: ${messageOf(error)}` });
    return undefined;
  }
}

interface Passes {
  readonly project: Project;
  readonly options: BuildOptions;
  readonly beganMs: number;
  readonly remote: BuildRemote | undefined;
  readonly expectation: Expectation;
  readonly makeRunner: (() => Runner) | undefined;
}

/** Builds until what was planned with is what lies there; the last pass counts. */
async function buildPasses(
  wanted: readonly GraphTarget[],
  { project, options, beganMs, remote, expectation, makeRunner }: Passes,
): Promise<BuildRun[]> {
  const passes: BuildRun[] = [];
  for (;;) {
    const run = new BuildRun(project, options, { runner: makeRunner?.(), beganMs });
    const before = passes.at(-1);
    run.remote = remote;
    run.mayPlanAgain = passes.length < limits.replansMax;
    run.distrusts = before !== undefined && (before.distrusts || codeOf(before.scheduler.stopped) === 'remote-differs');
    for (const path of before?.doubted ?? []) run.doubted.add(path);
    passes.push(run);
    const endWait = expectation.await(run);
    try {
      await buildOnce(run, wanted);
    } finally {
      endWait();
      await end(run);
    }
    const { stopped } = run.scheduler;
    if (!run.plansAgain(stopped)) return passes;
    project.emit({ type: 'note', message: `${stopped.where ?? 'a source'}: ${stopped.message}; planning again` });
  }
}

const codeOf = (error: unknown): string | undefined => (error instanceof BuildError ? error.code : undefined);

async function buildOnce(run: BuildRun, wanted: readonly GraphTarget[]): Promise<void> {
  const { project, scheduler } = run;
  const stop = (): void => {
    scheduler.stop(interrupted());
    project.emit({ type: 'interrupted' });
    // Running steps may have minutes to go: they are given up, and nothing of them is kept.
    void run.runner.close(true);
  };
  const giveUp = (): void => scheduler.stop(superseded());
  project.signal.addEventListener('abort', stop, { once: true });
  run.options.superseded?.addEventListener('abort', giveUp, { once: true });
  const unwatch = scheduler.watchForStuckPlans(() => endStuck(run));
  const endProgress = reportProgress(run);
  try {
    if (project.signal.aborted) stop();
    if (run.options.superseded?.aborted) giveUp();
    for (const target of wanted) run.targets.set(target, new TargetBuild(target, run));
    for (const target of run.targets.values()) target.start();
    await Promise.race([Promise.all([...run.targets.values()].map((target) => target.done)), stopped(run)]);
    await scheduler.idle();
    endAll(run);
    // No plan waits any more: publishing takes what time it takes, and runs no step meanwhile.
    unwatch();
    if (run.options.dryRun) return;
    run.lock.save();
    run.files.save();
    run.saveUses();
    if (run.options.publish ?? true) await publishAll(run);
  } catch (error) {
    scheduler.stop(error);
    if (!run.isGivenUp(error)) project.emit({ type: 'target-failed', target: '', error: shownError(scheduler.stopped) });
  } finally {
    endAll(run);
    unwatch();
    endProgress();
    project.signal.removeEventListener('abort', stop);
    run.options.superseded?.removeEventListener('abort', giveUp);
  }
}

/** Each target that was begun is told to have ended, whatever ended the pass. In their order: what is blocked is so by one that ended. */
function endAll({ targets, scheduler }: BuildRun): void {
  if (scheduler.stopped !== undefined) for (const target of targets.values()) target.endUnbuilt();
}

/** After a stop, plans that wait for something else than a step must not keep the build. */
async function stopped(run: BuildRun): Promise<void> {
  while (run.scheduler.stopped === undefined) await new Promise((resolve) => setTimeout(resolve, 50).unref());
  await run.scheduler.idle();
  for (const target of run.targets.values()) target.plan?.abandon(run.scheduler.stopped);
  // Those that can go on after that go on, and say themselves how they ended.
  await new Promise((resolve) => void setImmediate(resolve));
}

function endStuck({ scheduler, targets }: BuildRun): void {
  const waiting = [...targets.values()].filter(({ state }) => state === 'building' || state === 'waiting');
  const error = new BuildError('stuck', {
    message: `no step runs, but these plans still wait: ${waiting.map(({ target }) => target.name).join(', ')}`,
    hint: 'A plan waits for something that no step makes: a mistake in its rule.',
  });
  void waiting[0]?.fail(error);
  scheduler.stop(error);
}

async function end(run: BuildRun): Promise<void> {
  const { project, scheduler } = run;
  run.isOver = true;
  scheduler.close();
  await run.runner.close(scheduler.stopped !== undefined);
  try {
    project.store.sync();
    project.results.flush();
  } catch (error) {
    const wasStopped = scheduler.stopped !== undefined;
    scheduler.stop(error);
    if (!wasStopped) project.emit({ type: 'target-failed', target: '', error: shownError(scheduler.stopped) });
  }
}

type StepCounts = BuildSummary['steps'];

function addSteps(steps: StepCounts, run: BuildRun, ways: readonly (keyof StepCounts)[]): void {
  for (const { plan, replayed } of run.targets.values()) {
    for (const some of [plan, replayed]) if (some) for (const how of ways) steps[how] += run.tally(some).ends[how];
  }
}

interface Ended {
  /** Of the run. */
  readonly name: string;
  readonly tookMs: number;
  readonly remote: BuildRemote | undefined;
  readonly expectation: Expectation;
  readonly cache: CacheSummary | undefined;
}

/** Which part of the sources a build took. */
const partOf = ({ only, sample }: BuildOptions): Pick<BuildSummary, 'only' | 'sample'> => ({
  ...(only !== undefined && { only }),
  ...(sample !== undefined && { sample }),
});

/** @param passes the last counts; what those before it ran counts too, and is a hit in the last. */
async function summarize(passes: readonly BuildRun[], { name, tookMs, remote, expectation, cache }: Ended): Promise<BuildSummary> {
  const run = passes.at(-1) as BuildRun;
  const { project, scheduler } = run;
  const targets: Record<string, TargetSummary> = {};
  const steps = { ran: 0, hit: 0, restored: 0, failed: 0 };
  let ok = scheduler.stopped === undefined;
  for (const [target, build] of run.targets) {
    targets[target.name] = build.summary();
    if (build.state === 'failed') ok = false;
  }
  addSteps(steps, run, ['ran', 'hit', 'restored', 'failed']);
  for (const pass of passes.slice(0, -1)) addSteps(steps, pass, ['ran', 'restored']);
  const error = remote && run.options.requireRemote ? remoteFailure(remote.summary(), remote.trouble()) : undefined;
  if (error) project.emit({ type: 'target-failed', target: '', error: shownError(error) });
  const warnings = passes.reduce((sum, pass) => sum + pass.warnings, remote?.warnings ?? 0);
  const estimate = await expectation.end(passes, { ok, tookMs });
  const summary: BuildSummary = {
    type: 'summary',
    ok: ok && !error,
    run: name,
    steps,
    tookMs,
    targets,
    warnings,
    ...partOf(run.options),
    ...(estimate && { estimate }),
    ...(remote && { remote: remote.summary() }),
    ...(isSuperseded(scheduler.stopped) && { superseded: true }),
    ...(isInterruption(scheduler.stopped) && { interrupted: true }),
    ...(cache && { cache }),
  };
  project.emit(summary);
  return summary;
}
