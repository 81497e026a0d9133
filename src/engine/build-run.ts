import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { moduleUrl } from '../base/program.ts';
import { Locations } from '../cache/locations.ts';
import { type Lock, readLock } from '../cache/lock.ts';
import type { Origin, Trust } from '../cache/remote/trust.ts';
import type { StepResult } from '../cache/results.ts';
import type { KeptModule } from '../config/kept-module.ts';
import { isSecret } from '../config/secret.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { PoolRunner } from '../execute/pool.ts';
import type { Runner } from '../execute/runner.ts';
import { Scheduler } from '../execute/scheduler.ts';
import type { StepRun } from '../execute/step-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { matcher } from '../graph/pattern.ts';
import type { Part } from '../rule/part.ts';
import type { Rule } from '../rule/rule.ts';
import type { LocalSources } from '../source/local.ts';
import type { BuildOptions } from './api.ts';
import { Contents } from './contents.ts';
import { FileDigests } from './file-digests.ts';
import { Listings } from './listings.ts';
import { type MissingBytes, Needs } from './needs.ts';
import type { Project } from './project.ts';
import { PublishedFolders } from './published-folders.ts';
import { Rebuilder } from './rebuilder.ts';
import type { BuildRemote } from './remote.ts';
import { type StepEnd, Tally } from './tally.ts';
import type { TargetBuild } from './target-build.ts';
import { trustOf } from './trust.ts';

/** Remembers what was made once for each name, also while it is being made. */
class Once<T> {
  readonly #made = new Map<string, Promise<T>>();

  get(name: string, make: () => Promise<T>): Promise<T> {
    let made = this.#made.get(name);
    if (!made) {
      made = make();
      this.#made.set(name, made);
    }
    return made;
  }
}

/** One pass over a project's targets: everything that its parts share. */
export class BuildRun {
  readonly project: Project;
  readonly options: BuildOptions;
  readonly runner: Runner;
  readonly rebuilder: Rebuilder;
  readonly scheduler: Scheduler;
  readonly lock: Lock;
  readonly files: FileDigests;
  readonly published: PublishedFolders;
  readonly listings: Listings;
  /** Of this pass alone: the next one may find the sources changed. */
  readonly locations: Locations;
  readonly owners = new WeakMap<StepRun, PlanRun>();
  readonly targets = new Map<GraphTarget, TargetBuild>();
  readonly locals = new Map<string, LocalSources>();
  /** The place of each chunk of local sources in the table of its target: equal chunks may lie at several places. */
  readonly chunkOf = new WeakMap<Part, number>();
  /** What digests in manifests are of, for people. */
  readonly contents = new Contents();
  /** Files that options name, by digest: copied to the store. */
  readonly givenFiles = new Map<Digest, string>();
  /** Compressed source files, by digest: they are read where they lie. */
  readonly packedFiles = new Map<Digest, string>();
  /** Real addresses of remote sources by the ones that may be shown. */
  readonly addresses = new Map<string, string>();
  /** Folders of the user's npm packages that steps load, by `name@version`. */
  readonly packages = new Map<string, string>();
  readonly bundles = new Once<KeptModule>();
  readonly bundlePaths = new Map<Digest, string>();
  /** Bundles of the modules that define the user's own rules, by rule. */
  readonly ruleBundles = new Map<string, Digest>();
  /** Rules of the targets: keys and workers know them by name. */
  readonly rulesByName = new Map<string, Rule>();
  readonly keepsGroup: (group: string) => boolean;
  /** Files of sources that were found to hold something else than their times said: these are read again. */
  readonly doubted = new Set<string>();
  /** The remote cache, where there is one. */
  remote: BuildRemote | undefined;
  /** Of the remote only results of targets are asked for: for who reads what is built, its steps are of no use. */
  resultsOnly = false;
  /** What came from elsewhere turned out to be wrong: none of it is used. */
  distrusts = false;
  /** Codes of what befalls all targets alike, once one of them has told it. */
  readonly troublesTold = new Set<string>();
  /** Modules of the user's of which it was said that they read what is in no key. */
  readonly reachesTold = new Set<string>();
  warnings = 0;
  /** Steps that were begun, and how long sources were read before. */
  stepsStarted = 0;
  scanMs = 0;
  isOver = false;
  /** Whether the build begins again when what it was planned with is outdated. */
  mayPlanAgain = false;
  readonly #tallies = new WeakMap<PlanRun, Tally>();
  readonly #restoring = new WeakSet<StepRun>();
  readonly #beganMs: number;
  readonly #needs: Needs;
  readonly #trust: Trust;

  constructor(
    project: Project,
    options: BuildOptions,
    { runner, beganMs = Date.now() }: { runner?: Runner | undefined; beganMs?: number } = {},
  ) {
    this.project = project;
    this.options = options;
    this.#beganMs = beganMs;
    this.runner = runner ?? new PoolRunner(jobsOf(project, options));
    const { dryRun = false, keepGoing = false, pausing } = options;
    this.rebuilder = new Rebuilder(this);
    this.scheduler = new Scheduler(this.rebuilder, { jobs: this.runner.jobs, keepGoing, dryRun, ...(pausing && { pausing }) });
    this.lock = readLock(project.lockFile, options.locked ? 'locked' : 'add');
    this.files = new FileDigests(project.stateDir);
    this.keepsGroup = options.only === undefined ? () => true : matcher(options.only);
    this.published = new PublishedFolders(project.stateDir, project.graph.folders);
    this.listings = new Listings(this);
    this.#needs = new Needs(this);
    this.#trust = trustOf(project);
    this.locations = new Locations(project.store);
    this.locations.add(this.published);
    this.locations.add({ locate: (digest) => this.#locateSource(digest) });
  }

  /** What was planned with is no longer what lies there: a source, or a list in the store. */
  plansAgain(error: unknown): error is BuildError {
    const codes = ['source-changed', 'source-changing', 'source-gone', 'store-damaged', 'remote-differs'];
    return this.mayPlanAgain && error instanceof BuildError && codes.includes(error.code);
  }

  /** This pass ends unfinished and nothing of it failed: a newer one takes its place. */
  isGivenUp(error: unknown): boolean {
    return this.plansAgain(error) || isSuperseded(error);
  }

  /** Ctrl-C or the like: whatever fails from now on fails because of it. */
  get isInterrupted(): boolean {
    return this.project.signal.aborted;
  }

  /** Whether a result may be used that was made elsewhere. */
  believes(origin: Origin | undefined): boolean {
    return origin === undefined || (!this.distrusts && this.#trust.believes(origin));
  }

  /** The known result of a step, from wherever this build believes it. */
  stepResult(key: Digest): StepResult | undefined {
    const result = this.project.results.step(key);
    return result && this.believes(result.origin) ? result : undefined;
  }

  isForced(target: string): boolean {
    return (this.options.force ?? false) && [...this.targets.keys()].some((t) => t.name === target && this.#wasAskedFor(t));
  }

  /** `--force` runs what was named, or all; not everything upstream of it. */
  #wasAskedFor(target: GraphTarget): boolean {
    const { targets } = this.options;
    return targets.length === 0 || targets.some((name) => this.project.graph.get(name) === target);
  }

  /** Notes that this build uses a version of a target. */
  noteUse(target: string, key: Digest): void {
    if (!this.options.dryRun) this.project.uses.note(target, key);
  }

  /** Before anything that takes long: who collects garbage meanwhile spares what is in use. */
  saveUses(): void {
    if (!this.options.dryRun) this.project.uses.save(this.#beganMs);
  }

  addLocal(target: string, sources: LocalSources): void {
    this.locals.set(target, sources);
  }

  need(missing: MissingBytes, consumer: PlanRun): Promise<void> {
    return this.#needs.need(missing, consumer);
  }

  needFor(digest: Digest, target: GraphTarget): Promise<void> {
    return this.#needs.needOf(digest, target);
  }

  /** From the remote cache only. @returns whether they are here. */
  bring(missing: MissingBytes, target: GraphTarget): Promise<boolean> {
    return this.#needs.bring(missing, target);
  }

  tally(plan: PlanRun): Tally {
    let tally = this.#tallies.get(plan);
    if (!tally) {
      tally = new Tally();
      this.#tallies.set(plan, tally);
    }
    return tally;
  }

  count(plan: PlanRun, how: StepEnd, step: StepRun): void {
    this.tally(plan).add(step, how);
  }

  restoring(step: StepRun): void {
    this.#restoring.add(step);
  }

  isRestoring(step: StepRun): boolean {
    return this.#restoring.has(step);
  }

  /** Module that a worker imports to get the target's rule. */
  moduleOf(target: GraphTarget): string {
    const bundle = this.bundlePaths.get(this.ruleBundles.get(target.rule.name) ?? '');
    return bundle === undefined ? moduleUrl(`rules/${target.rule.name}`) : pathToFileURL(bundle).href;
  }

  bundlesFor(target: GraphTarget): Readonly<Record<Digest, string>> {
    return Object.keys(target.rule.options).length === 0 ? {} : Object.fromEntries(this.bundlePaths);
  }

  /** Values of a target's secrets, for the one job that needs them. */
  secretsOf(target: GraphTarget): Readonly<Record<string, string>> {
    const declared = Object.entries(target.options).filter(([name]) => target.rule.options[name]?.shape.type === 'secrets');
    const values: Record<string, string> = {};
    for (const [, given] of declared) {
      for (const [name, secret] of Object.entries(given as Record<string, unknown>)) {
        if (!isSecret(secret)) continue;
        const value = this.project.env[secret.variable];
        if (value === undefined)
          throw new BuildError('no-secret', {
            message: `the environment has no ${secret.variable}`,
            where: target.name,
            hint: 'Set it, then build again.',
          });
        values[name] = value;
      }
    }
    return values;
  }

  warn(warning: { code: string; message: string; where?: string; hint?: string; target?: string }): void {
    this.warnings++;
    this.project.emit({ type: 'warning', ...warning });
  }

  #locateSource(digest: Digest) {
    for (const local of this.locals.values()) {
      const index = local.indexOf(digest);
      if (index !== undefined) return local.chunk(index).segments;
    }
    const path = this.packedFiles.get(digest);
    const size = path === undefined ? undefined : this.files.sizeOf(path);
    return path === undefined || size === undefined ? undefined : [{ path, offset: 0, length: size }];
  }
}

export const superseded = (): BuildError =>
  new BuildError('superseded', { message: 'something changed meanwhile', hint: 'The next build goes on from here.' });

export const isSuperseded = (error: unknown): boolean => error instanceof BuildError && error.code === 'superseded';

export function jobsOf({ config }: Project, { jobs }: BuildOptions): number {
  const configured = config.executor as { jobs?: number } | undefined;
  return Math.max(1, jobs ?? configured?.jobs ?? availableParallelism());
}
