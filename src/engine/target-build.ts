import type { Digest } from '../base/digest.ts';
import { BuildError, explained } from '../base/errors.ts';
import type { TargetHow, TargetSummary } from '../base/events.ts';
import { worstOrigin } from '../cache/remote/trust.ts';
import type { TargetResult } from '../cache/results.ts';
import { OutputStream, UpstreamFailed } from '../execute/output-stream.ts';
import { UnknownYet } from '../execute/pending.ts';
import { outputNames, PlanRun } from '../execute/plan-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Names } from '../plan/contents.ts';
import { keyOf, type Manifest, targetManifest } from '../plan/manifest.ts';
import { decodeCollection } from '../rule/collection.ts';
import type { Part } from '../rule/part.ts';
import type { BuildRun } from './build-run.ts';
import { readUndamaged } from './damage.ts';
import { objectPatterns } from './declared-sources.ts';
import { withFilesInPlace } from './in-place.ts';
import { type LastPlan, readLastPlan, writeLastPlan } from './last-plan.ts';
import { placeOf } from './places.ts';
import { judge, quarantinedOf } from './policies.ts';
import { reasonsFor } from './reasons.ts';
import { remoteHead, shareTarget } from './remote-head.ts';
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts';
import { tableFileOf } from './resolve-sources.ts';
import { summaryOf } from './summary.ts';
import { endOf, eventOf, isOwnFailure, type TargetEnd } from './target-end.ts';
import { resultOf } from './target-result.ts';

/** How a target stands: its inputs may still be in the making when it begins. */
type State = 'waiting' | 'kept' | 'building' | 'built' | 'failed';

/** One target in one build: decides whether its result is known; if not, runs its plan and keeps what comes out. */
export class TargetBuild {
  readonly target: GraphTarget;
  readonly #run: BuildRun;
  state: State = 'waiting';
  options: ResolvedOptions | undefined;
  result: TargetResult | undefined;
  plan: PlanRun | undefined;
  why: readonly string[] = [];
  error: unknown;
  /** How it ended, once that was told; of a target that is neither kept nor built. */
  end: TargetEnd | undefined;
  /** In a dry run: whether all of its plan could be looked at. */
  isExact = true;
  /** Resolves when it is kept, or its outputs can be read while they are made; rejects when neither will be. */
  readonly readable: Promise<void>;
  /** Resolves when it is over, in whatever way. */
  done: Promise<void> = Promise.resolve();
  #setReadable!: () => void;
  /** A plan that ran again for the sake of bytes that were missing. */
  replayed: PlanRun | undefined;
  #replaying: Promise<PlanRun> | undefined;
  #streams: Readonly<Record<string, OutputStream>> | undefined;
  #head: Digest | undefined;

  constructor(target: GraphTarget, run: BuildRun) {
    this.target = target;
    this.#run = run;
    this.readable = new Promise((resolve) => {
      this.#setReadable = resolve;
    });
  }

  start(): void {
    this.done = this.#build().catch((error) => this.fail(error));
  }

  get isKnown(): boolean {
    return this.result !== undefined && this.state !== 'failed';
  }

  get how(): TargetHow {
    return this.plan ? 'built' : 'kept';
  }

  /** An output to be read by a plan: as it is made, or from the store. */
  stream(output: string): OutputStream {
    if (this.error !== undefined) {
      const failed = new OutputStream();
      failed.close(new UpstreamFailed(this.target.name));
      return failed;
    }
    this.#streams ??=
      this.plan?.outputs ?? Object.fromEntries(outputNames(this.target).map((name) => [name, OutputStream.of(this.parts(name))]));
    return this.#streams[output] as OutputStream;
  }

  /** The finished parts of an output. */
  parts(output: string): readonly Part[] {
    if (this.plan && this.state !== 'failed') return this.plan.outputs[output]?.parts ?? [];
    const collection = this.result?.outputs[output];
    if (!collection) return [];
    const bytes = readUndamaged(this.#run, collection.digest);
    if (bytes) return decodeCollection(bytes);
    throw new BuildError('store-damaged', {
      message: `the list of parts of ${this.target.name} is gone`,
      where: this.target.name,
      hint: 'Build again: it is made anew.',
    });
  }

  manifest(inputs: Manifest): Manifest {
    const { rule } = this.target;
    const options = { ...(this.options?.manifest ?? {}) };
    return targetManifest({ rule, code: this.#run.ruleBundles.get(rule.name), options, inputs, settings: this.#run.project.settings });
  }

  /** What the digests of its manifest are of. */
  names(): Names {
    return this.#run.contents.in(this.manifest({}));
  }

  /** What names the packs of its steps on a remote; not known before its options are. */
  remoteHead(): Digest | undefined {
    if (this.options) this.#head ??= remoteHead(this.manifest({}), this.target.rule);
    return this.#head;
  }

  /** The manifest as the config and the sources stand, without inputs that are not finished. */
  currentManifest(): Manifest | undefined {
    return this.options && this.manifest(this.#inputDigests() ?? {});
  }

  summary(): TargetSummary {
    return summaryOf(this, this.plan && this.#run.tally(this.plan));
  }

  /** Runs the plan once more for the sake of its steps: nearly all are hits, and one of them makes bytes that are missing. */
  replay(): Promise<PlanRun> {
    this.#replaying ??= this.plan && this.state !== 'kept' ? Promise.resolve(this.plan) : this.#replay();
    return this.#replaying;
  }

  async #replay(): Promise<PlanRun> {
    this.options ??= withFilesInPlace(await resolveOptions(this.target, this.#run), this.target, this.#run);
    const plan = new PlanRun(this.target, this.#run.scheduler, this.#run.owners);
    this.replayed = plan;
    // Of what was built here the steps are known here.
    if (!this.#run.resultsOnly || this.result?.origin) await this.#fetchSteps();
    await plan.run(this.#planInputs(plan), this.options.seen);
    return plan;
  }

  async #build(): Promise<void> {
    const { scheduler, project } = this.#run;
    this.options = await scheduler.holding(resolveOptions(this.target, this.#run));
    await Promise.all(this.inputBuilds().map((input) => input.readable));
    this.options = withFilesInPlace(this.options, this.target, this.#run);
    if (this.#restore() || (await this.#restoreFromElsewhere())) return;
    if (this.#run.options.dryRun) return this.#runPlan(() => undefined);
    const claim = await scheduler.holding(project.claims.take(`target ${this.target.name}`, project.signal));
    try {
      // Another build may have ended this target between our last look and now, whether we had to wait for it or not.
      project.results.refresh();
      project.store.refresh();
      if (this.#restore()) return;
      await this.#runPlan(() => this.#record());
      // Who takes the claim next looks for what this one left.
      project.results.flush();
    } finally {
      claim.release();
    }
  }

  /** Takes the known result, if there is one for exactly these inputs. */
  #restore(): boolean {
    this.#assertNotEnded();
    if (this.#run.isForced(this.target.name)) return false;
    const key = this.keyNow();
    const result = key && this.#run.project.results.target(key);
    if (!result || !this.#run.believes(result.origin) || !this.#isWhole(result)) return false;
    this.result = result;
    this.state = 'kept';
    this.#run.noteUse(this.target.name, key);
    this.#remember(key);
    this.#setReadable();
    this.#finish();
    return true;
  }

  /** Looks for what it came to on the remote, if its key can be told already. */
  async #restoreFromElsewhere(): Promise<boolean> {
    const { remote, distrusts, scheduler } = this.#run;
    const inputs = this.#inputDigests();
    const manifest = inputs && this.manifest(inputs);
    if (!remote || distrusts || !manifest || isUnknowable(manifest) || this.#run.isForced(this.target.name)) return false;
    return (await scheduler.holding(remote.restore(keyOf(manifest), this.target))) && this.#restore();
  }

  /** Brings what is known elsewhere of its steps, so that they are hits. */
  async #fetchSteps(): Promise<void> {
    const { remote, distrusts, scheduler } = this.#run;
    const head = this.remoteHead();
    if (remote && !distrusts && head !== undefined) await scheduler.holding(remote.packs(head, this.target.name));
  }

  #isWhole(result: TargetResult): boolean {
    return Object.values(result.outputs).every(({ digest }) => this.#run.project.store.locate(digest) !== undefined);
  }

  /** The key, when all inputs are finished; while one is still being made there is none. */
  keyNow(): Digest | undefined {
    const inputs = this.#inputDigests();
    return inputs && keyOf(this.manifest(inputs));
  }

  #inputDigests(): Manifest | undefined {
    const digests: Record<string, string> = {};
    for (const { input, key, from, output } of this.target.inputs) {
      const digest = this.#buildOf(from).result?.outputs[output]?.digest;
      if (digest === undefined) return undefined;
      digests[key === '' ? input : `${input}.${key}`] = digest;
    }
    return digests;
  }

  async #runPlan(record: () => void): Promise<void> {
    const { project, scheduler, owners } = this.#run;
    this.#assertNotEnded();
    this.plan = new PlanRun(this.target, scheduler, owners);
    this.state = 'building';
    this.#noteLast();
    this.why = reasonsFor(this, this.#run, { inputs: this.#inputDigests() });
    project.emit({ type: 'target-started', target: this.target.name, rule: this.target.rule.name, why: this.why });
    this.#setReadable();
    const { plan } = this;
    try {
      if (!this.#run.isForced(this.target.name) && !this.#run.resultsOnly) await this.#fetchSteps();
      await plan.run(this.#planInputs(plan), this.options?.seen);
    } catch (error) {
      // A dry run ends where a plan asks for what only a run can tell.
      if (!this.#run.options.dryRun || !(error instanceof UnknownYet)) throw error;
      this.isExact = false;
    }
    await Promise.all(this.inputBuilds().map((input) => input.done));
    if (this.#run.options.dryRun) {
      this.state = 'built';
      return;
    }
    this.#assertNotEnded();
    this.#assertWhole();
    this.#run.listings.pinContents(objectPatterns(this.target), plan);
    record();
    this.state = 'built';
    this.#finish();
  }

  /** Most of its steps will be hits, or take over rows, of what it was last. */
  #noteLast(): void {
    const last = readLastPlan(this.#run.project.stateDir, this.target.name);
    if (last) this.#run.noteUse(last.target, last.key);
    this.#run.saveUses();
  }

  #assertWhole(): void {
    const failed = this.inputBuilds().find((input) => input.state === 'failed');
    if (failed) throw new UpstreamFailed(failed.target.name);
    const step = this.plan?.steps.find((candidate) => candidate.state === 'failed' || candidate.state === 'blocked');
    if (step) throw step.error;
  }

  /** Stores the outputs as collections, and the result under the key of what really went in. */
  #record(): void {
    const run = this.#run;
    const { project } = run;
    const plan = this.plan as PlanRun;
    const inputs = this.#inputDigests() as Manifest;
    const read = this.target.inputs.flatMap(({ from, output }) => this.#buildOf(from).result?.outputs[output] ?? []);
    const local = run.locals.get(this.target.name);
    const made = resultOf({ plan, tally: run.tally(plan), read, store: project.store, local, chunkOf: run.chunkOf });
    const origin = worstOrigin(plan.steps.map((step) => step.result?.origin));
    this.result = origin ? { ...made, origin } : made;
    const manifest = this.manifest(inputs);
    const key = keyOf(manifest);
    if (this.options?.manifest && !isUnknowable(manifest)) {
      project.store.sync();
      project.results.putTarget(key, this.result);
      run.noteUse(this.target.name, key);
      this.#remember(key);
      this.#share(key);
    }
  }

  #share(key: Digest): void {
    if (this.#run.options.sample === undefined) void shareTarget(this, { key, plan: this.plan as PlanRun, run: this.#run });
  }

  /**
   * What stands now, for the next build to say what changed since: also when it was gone back to, and nothing ran. A build of a sample or
   * of some groups leaves what is known of the whole as it is.
   */
  #remember(key: Digest): void {
    const { stateDir } = this.#run.project;
    const { name } = this.target;
    const { dryRun, sample, only } = this.#run.options;
    if (dryRun || sample !== undefined) return;
    const last = readLastPlan(stateDir, name);
    if (last && ((this.#isAsNoted(last, key) && last.only === only) || (only !== undefined && last.only === undefined))) return;
    this.#noteAsLast(key);
  }

  /** The same key may be of other files: with another comment in one, or under another name. */
  #isAsNoted(last: LastPlan, key: Digest): boolean {
    return last.key === key && JSON.stringify(last.names) === JSON.stringify(this.names());
  }

  /** Without a build, where there never was one here: what it came to elsewhere is what it was last. */
  noteFound(): void {
    const key = this.state === 'kept' ? this.keyNow() : undefined;
    if (key !== undefined && !readLastPlan(this.#run.project.stateDir, this.target.name)) this.#noteAsLast(key);
  }

  #noteAsLast(key: Digest): void {
    const { stateDir } = this.#run.project;
    const { name } = this.target;
    const outputs = Object.fromEntries(Object.entries(this.result?.outputs ?? {}).map(([output, { digest }]) => [output, digest]));
    const manifest = this.manifest(this.#inputDigests() as Manifest);
    const { only } = this.#run.options;
    const names = this.names();
    writeLastPlan(
      stateDir,
      { target: name, key, manifest, names, outputs, ...(only !== undefined && { only }) },
      tableFileOf(stateDir, name),
    );
  }

  /** Policies are judged now, for a kept target as for a built one. */
  #finish(): void {
    const result = this.result as TargetResult;
    const error = judge(this.target.common, result, (i) => placeOf(result.quarantined[i], this.#run));
    if (error) throw error.at(`${this.target.where} ${this.target.name}`);
    const bad = quarantinedOf(result);
    if (bad > 0) this.#warnOfBadRecords(result, bad);
    this.#run.project.emit({ type: 'target-finished', target: this.target.name, how: this.how, summary: this.summary() });
  }

  #warnOfBadRecords(result: TargetResult, bad: number): void {
    const [first] = result.quarantined;
    const where = placeOf(first, this.#run);
    const message = `${bad} bad ${bad === 1 ? 'record was' : 'records were'} left out${first ? `: ${first.reason}, ${first.detail}` : ''}`;
    this.#run.warn({ code: 'bad-records', message, target: this.target.name, ...(where && { where }) });
  }

  /** It can not go on: tells so, if that is its own failure, or that of what it needs. Whatever else stopped it is told at the end. */
  async fail(thrown: unknown): Promise<void> {
    if (this.end) return;
    const error = explained(thrown);
    this.error = error;
    this.state = 'failed';
    this.plan?.abandon(error);
    this.#setReadable();
    const { scheduler, options } = this.#run;
    const isOwn = isOwnFailure(this, this.#run);
    if (isOwn) this.endUnbuilt();
    if (this.#run.isGivenUp(error) || (isOwn && !(options.keepGoing ?? false))) scheduler.stop(error);
    if (isOwn) return;
    await Promise.all(this.inputBuilds().map((input) => input.done));
    if (this.inputBuilds().some(({ end }) => end)) this.endUnbuilt();
  }

  /** Tells how it ended without being built or kept: once, and not in a pass that is planned again. */
  endUnbuilt(): void {
    const { project, scheduler } = this.#run;
    if (this.end || this.state === 'kept' || this.state === 'built' || this.#run.plansAgain(scheduler.stopped)) return;
    this.state = 'failed';
    this.error ??= scheduler.stopped;
    this.end = endOf(this, this.#run);
    project.emit(eventOf(this.target.name, this.end));
  }

  /** After the end that was told there is no other. */
  #assertNotEnded(): void {
    if (this.end) throw this.error;
  }

  #planInputs(plan: PlanRun): Record<string, unknown> {
    const specs = Object.entries(this.target.rule.inputs);
    const inputs: Record<string, unknown> = Object.fromEntries(
      specs.filter(([, spec]) => typeof spec === 'object').map(([input]) => [input, {}]),
    );
    for (const { input, key, from, output } of this.target.inputs) {
      const collection = plan.inputFrom(this.#buildOf(from).stream(output));
      const isMany = typeof this.target.rule.inputs[input] === 'object';
      if (isMany) inputs[input] = { ...(inputs[input] as object | undefined), [key]: collection };
      else inputs[input] = collection;
    }
    return inputs;
  }

  inputBuilds(): TargetBuild[] {
    return this.target.inputs.map(({ from }) => this.#buildOf(from));
  }

  #buildOf(target: GraphTarget): TargetBuild {
    return this.#run.targets.get(target) as TargetBuild;
  }
}

/** A key may not stand for "whatever the remote holds". */
function isUnknowable(manifest: Manifest): boolean {
  const options = manifest.options as { sources?: { files?: readonly { digest: Digest | null }[] } } | undefined;
  return options?.sources?.files?.some((file) => file.digest === null) ?? false;
}
