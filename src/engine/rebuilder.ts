import { rmSync } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { BuildError, explained } from '../base/errors.ts';
import type { RowsReused } from '../base/events.ts';
import { isWhole } from '../cache/part-reader.ts';
import type { StepResult } from '../cache/results.ts';
import type { Location } from '../cache/store.ts';
import { interrupted } from '../execute/interruption.ts';
import type { Job, Made } from '../execute/job.ts';
import { assertBalanced } from '../execute/ledger.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import type { StepWork } from '../execute/scheduler.ts';
import { inputParts, type StepRun, settledInputs } from '../execute/step-run.ts';
import { assertValid } from '../execute/validate.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { keyOf, stepHead, stepKey } from '../plan/manifest.ts';
import type { Way } from '../plan/rates.ts';
import type { Part } from '../rule/part.ts';
import type { ObjectIdentity } from '../rule/source.ts';
import { decodeView } from '../rule/view.ts';
import type { BuildRun } from './build-run.ts';
import { readUndamaged, removeDamaged, sourceChanged } from './damage.ts';
import { EarlierRuns } from './earlier.ts';
import { runExternal } from './external.ts';
import type { MissingBytes } from './needs.ts';
import { placedError, placeOf } from './places.ts';
import { stepEnd } from './step-end.ts';
import { resultOf } from './step-result.ts';
import { ToldSteps } from './told-steps.ts';

/** Further tries of a step whose failure was not its own: its worker was lost, or its input had to be made again. */
const triesMax = 2;

const headsMax = 4096;

interface Surroundings extends Required<Pick<Job, 'bundles' | 'secrets' | 'packages'>> {
  readonly size: number;
}

/** Decides whether a step has to run, gives it its inputs, and keeps what it made. Knows nothing of order or parallelism. */
export class Rebuilder implements StepWork {
  readonly #run: BuildRun;
  readonly #heads = new Map<string, Digest>();
  readonly #surroundings = new Map<GraphTarget, Surroundings>();
  readonly #earlier: EarlierRuns;
  readonly #told: ToldSteps;

  constructor(run: BuildRun) {
    this.#run = run;
    this.#earlier = new EarlierRuns(run);
    this.#told = new ToldSteps(run);
  }

  lookup(step: StepRun): StepResult | undefined {
    step.key = this.keyOf(step);
    if (this.#run.isForced(this.#owner(step).target.name)) return undefined;
    return this.#run.stepResult(step.key);
  }

  keyOf(step: StepRun, params: unknown = step.params): Digest {
    return stepKey(this.#headOf(step, params), settledInputs(step.inputs));
  }

  #headOf(step: StepRun, params: unknown): Digest {
    const { rule } = this.#owner(step).target;
    const id = `${rule.name}\0${step.name}\0${JSON.stringify(params)}`;
    let head = this.#heads.get(id);
    if (head === undefined) {
      head = keyOf(
        stepHead({
          rule,
          code: this.#run.ruleBundles.get(rule.name),
          definition: step.definition,
          params,
          settings: this.#run.project.settings,
        }),
      );
      // Worth keeping only where many steps have the same parameters.
      if (this.#heads.size >= headsMax) this.#heads.clear();
      this.#heads.set(id, head);
    }
    return head;
  }

  /** Parts of a target's jobs that are the same objects in all of them: a message that holds several jobs then holds these once. */
  #surroundingsOf(target: GraphTarget): Surroundings {
    const { bundlePaths, packages } = this.#run;
    const known = this.#surroundings.get(target);
    // Both only ever grow, as targets are resolved.
    const size = bundlePaths.size + packages.size;
    if (known?.size === size) return known;
    const bundles = this.#run.bundlesFor(target);
    const made = { size, bundles, secrets: this.#run.secretsOf(target), packages: Object.fromEntries(packages) };
    this.#surroundings.set(target, made);
    return made;
  }

  ready(step: StepRun): Promise<void> | undefined {
    const missing = [...inputParts(settledInputs(step.inputs))].flatMap((part) => this.#missing(part));
    if (missing.length === 0) return undefined;
    const owner = this.#owner(step);
    // A view that was brought back may select from bytes that are gone as well.
    return Promise.all(missing.map((bytes) => this.#run.need(bytes, owner))).then(() => this.ready(step));
  }

  async execute(step: StepRun): Promise<StepResult> {
    const retries = this.#owner(step).target.common.retries ?? 0;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#runOnce(step, attempt);
      } catch (thrown) {
        if (this.#run.isInterrupted) throw interrupted();
        const error = placedError(this.#understand(step, thrown, attempt), inputParts(settledInputs(step.inputs)), this.#run);
        const final = attempt > retries + (isPassing(error) ? triesMax : 0);
        this.#told.failed(step, error, { attempt, final });
        if (final) throw error;
        // What was damaged has to be made again.
        await this.ready(step);
      }
    }
  }

  hit(step: StepRun): void {
    this.#run.count(this.#owner(step), 'hit', step);
  }

  ended(step: StepRun, how: 'ran' | 'failed' | 'blocked' | 'unknown'): void {
    const owner = this.#owner(step);
    if (how === 'ran') this.#run.count(owner, this.#run.isRestoring(step) ? 'restored' : 'ran', step);
    else this.#run.count(owner, how, step);
  }

  #owner(step: StepRun): PlanRun {
    return this.#run.owners.get(step) as PlanRun;
  }

  async #runOnce(step: StepRun, attempt: number): Promise<StepResult> {
    const { project, runner } = this.#run;
    const job = this.jobOf(step, attempt);
    const read = [...inputParts(job.inputs)];
    this.#run.stepsStarted++;
    const listener = this.#told.listener(step, { attempt, bytesIn: read.reduce((sum, part) => sum + part.bytes, 0) });
    const made = step.definition.external ? await runExternal(this.#run, job, listener) : await runner.run(job, listener);
    const result = this.#keep(step, made);
    // Said to have ended only when a kill can not lose it any more.
    await project.results.stepsWritten();
    const how = this.#run.isRestoring(step) ? 'restored' : 'ran';
    const owner = this.#owner(step);
    if (how === 'ran') this.#run.tally(owner).addWay(step, result, wayOf(this.#told.isFirst(step), made.recalled));
    const head = { target: owner.target.name, step: step.name, id: step.id, how, ...this.#reused(step, made) } as const;
    this.#told.finished({ ...stepEnd(read, result), ...head });
    return result;
  }

  /** How much a step took over from earlier runs: told, and counted, but in no result. */
  #reused(step: StepRun, { recalled }: Made): { reused?: RowsReused } {
    if (!recalled) return {};
    const owner = this.#owner(step);
    if (recalled.differs !== undefined) this.#warnOfDifference(step, recalled.differs);
    const reused = { rows: recalled.reused, of: recalled.records };
    this.#run.tally(owner).addReused(reused);
    return { reused };
  }

  #warnOfDifference(step: StepRun, record: number): void {
    const { target } = this.#owner(step);
    const part = step.definition.rowPure === undefined ? undefined : (settledInputs(step.inputs)[step.definition.rowPure] as Part);
    const where = part && placeOf({ part: part.digest, record, reason: '', detail: '' }, this.#run);
    this.#run.warn({
      code: 'memo-differs',
      message: `step "${step.name}" gives something else for a record than it gave before, so nothing known of its records was used`,
      target: target.name,
      ...(where && { where }),
      hint: `Something in ${target.rule.name} is not pure: it depends on time, chance or the documents before. What was built earlier may be wrong: build with --force once that is mended.`,
    });
  }

  /** @param attempt from the second on the step is given nothing that earlier runs made. */
  jobOf(step: StepRun, attempt: number): Job {
    const { project } = this.#run;
    const owner = this.#owner(step);
    const { target } = owner;
    const inputs = settledInputs(step.inputs);
    const { bundles, secrets, packages } = this.#surroundingsOf(target);
    // Whatever went wrong at the first, it was not for want of them.
    const earlier = attempt > 1 ? undefined : this.#earlier.of(step, owner, this.#headOf(step, step.params));
    const locations: Record<Digest, Location> = { ...earlier?.locations };
    for (const part of inputParts(inputs)) Object.assign(locations, this.locate(part));
    return {
      id: step.id,
      module: this.#run.moduleOf(target),
      rule: target.rule.name,
      step: step.name,
      inputs,
      params: step.params,
      earlier: earlier?.runs ?? [],
      locations,
      bundles,
      secrets,
      packages,
      tmpDir: project.tmpDir,
      chunkBytes: project.settings.chunkBytes,
      recordMsMax: project.recordMsMax,
    };
  }

  #missing(part: Part): MissingBytes[] {
    const { locations } = this.#run;
    if (!locations.locate(part.digest)) return [part];
    if (part.form !== 'view') return [];
    const bytes = readUndamaged(this.#run, part.digest);
    if (!bytes) return [part];
    const { base } = decodeView(bytes);
    return locations.locate(base) ? [] : [{ digest: base }];
  }

  /** Where a part's bytes lie, and those of the part that it selects from; undefined when any is missing. */
  locate(part: Part): Record<Digest, Location> | undefined {
    const { locations } = this.#run;
    const location = locations.locate(part.digest);
    if (!location || part.form !== 'view') return location && { [part.digest]: location };
    const bytes = readUndamaged(this.#run, part.digest);
    if (!bytes) return undefined;
    const { base } = decodeView(bytes);
    const baseLocation = locations.locate(base);
    return baseLocation && { [part.digest]: location, [base]: baseLocation };
  }

  /** Checks what a step made, and only then takes it into the store and under its key. */
  #keep(step: StepRun, made: Made): StepResult {
    const { store, results } = this.#run.project;
    assertValid(made, step.definition);
    const { name, definition, params } = step;
    const result = resultOf(made, definition.external);
    assertBalanced({ name, firstOutput: definition.outputs[0] as string, inputs: settledInputs(step.inputs), params }, result);
    for (const { data, file, digest } of made.parts) {
      if (data) store.put(data);
      else if (file && store.touch(digest)) rmSync(file, { force: true });
      else if (file) store.adopt(file, digest);
    }
    const key = this.#keyToKeep(step);
    if (key === undefined) return result;
    results.putStep(key, result);
    this.#share(step, key, result);
    return result;
  }

  #share(step: StepRun, key: Digest, result: StepResult): void {
    const { remote, targets, locations, options } = this.#run;
    const head = remote && options.sample === undefined ? targets.get(this.#owner(step).target)?.remoteHead() : undefined;
    if (head !== undefined) remote?.uploads.stepEnded(step, { key, result }, { head, locations });
  }

  /** A step that reached outside is kept under what it found there, never under "not known yet": else it would never look again. */
  #keyToKeep(step: StepRun): Digest | undefined {
    const params = step.params as { pin?: string; address?: string; object?: ObjectIdentity } | undefined;
    if (!step.definition.external || params?.pin || params?.object) return step.key;
    const pin = params?.address && this.#run.lock.get('source', params.address)?.blake3;
    return pin ? this.keyOf(step, { ...params, pin }) : undefined;
  }

  /** Bytes that are not what they should be: a source was edited (plan again), or the store is damaged (make them again). */
  #understand(step: StepRun, error: unknown, attempt: number): unknown {
    if (!(error instanceof BuildError) || error.code !== 'part-mismatch' || attempt > triesMax) return explained(error);
    for (const part of inputParts(settledInputs(step.inputs))) {
      for (const [digest, location] of Object.entries(this.locate(part) ?? {})) {
        if (removeDamaged(this.#run, digest, location) || isWhole(digest, location)) continue;
        const paths = location.map(({ path }) => path);
        return sourceChanged(this.#run, paths);
      }
    }
    return error;
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof BuildError && ['part-mismatch', 'record-timeout', 'worker-died'].includes(error.code);

const wayOf = (isFirst: boolean, recalled: Made['recalled']): Way =>
  recalled && recalled.reused * 2 > recalled.records ? (isFirst ? 'first-reused' : 'warm-reused') : isFirst ? 'first' : 'warm';
