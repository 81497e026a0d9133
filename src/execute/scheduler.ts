import { BuildError, explained } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { StepResult } from '../cache/results.ts';
import { isInterruption } from './interruption.ts';
import type { Pausing } from './pausing.ts';
import { PendingPart } from './pending.ts';
import { inputParts, type StepRun } from './step-run.ts';

/** What the scheduler asks of those who know freshness, storage and workers. It knows none of them itself. */
export interface StepWork {
  /** The result, if it is known already; sets the run's key. */
  lookup(run: StepRun): StepResult | undefined;
  /** Waits until all input bytes are on this machine; holds no worker meanwhile. Undefined when they are. */
  ready(run: StepRun): Promise<void> | undefined;
  execute(run: StepRun): Promise<StepResult>;
  /** Told once for each run that ended in any other way than by a hit. */
  ended(run: StepRun, how: 'ran' | 'failed' | 'blocked' | 'unknown'): void;
  hit(run: StepRun): void;
}

export interface SchedulerOptions {
  readonly jobs: number;
  readonly keepGoing: boolean;
  /** Plan only: a step whose result is not known stays unknown. */
  readonly dryRun: boolean;
  /** While it lasts, what could start stays in the queue. */
  readonly pausing?: Pausing;
}

/** A worker's worth of units; a small step takes one, so that several travel in one message. */
const unitsPerJob = limits.stepsPerMessageMax;
const smallStepBytes = 64 * 1024;
const externalStepsMax = 8;
const idleChecksMax = 20;

/**
 * Decides order and parallelism. A step runs when its inputs are there and a worker is free, in the order in which plans asked;
 * plans themselves hold nothing, so nothing can wait in a circle.
 */
export class Scheduler {
  readonly #work: StepWork;
  readonly #options: SchedulerOptions;
  readonly #queue: StepRun[] = [];
  readonly #externalQueue: StepRun[] = [];
  readonly #inFlight = new Map<string, StepRun>();
  #units: number;
  #externals = 0;
  #preparing = 0;
  #busy = 0;
  #stopped: unknown;
  #idleListeners: (() => void)[] = [];
  readonly #endPausing: (() => void) | undefined;

  constructor(work: StepWork, options: SchedulerOptions) {
    this.#work = work;
    this.#options = options;
    this.#units = options.jobs * unitsPerJob;
    this.#endPausing = options.pausing?.onResume(() => this.#pump());
  }

  /** Nothing is asked of it any more. */
  close(): void {
    this.#endPausing?.();
  }

  /** Why nothing new is started any more, or undefined. */
  get stopped(): unknown {
    return this.#stopped;
  }

  submit(run: StepRun): void {
    const pending = [...inputParts(run.inputs)].filter((part): part is PendingPart => part instanceof PendingPart && !isOver(part));
    let left = pending.length;
    if (left === 0) return this.#inputsThere(run);
    for (const part of pending) {
      (part.step as StepRun).onEnd(() => {
        if (--left === 0) this.#inputsThere(run);
      });
    }
  }

  /** Runs a step although its result is known, because bytes that it made are gone. */
  force(run: StepRun): void {
    this.#enqueue(run);
  }

  /** Starts nothing new; whatever waits ends as blocked. */
  stop(reason: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = explained(reason);
    for (const run of [...this.#queue.splice(0), ...this.#externalQueue.splice(0)]) this.#block(run, reason);
    this.#checkIdle();
  }

  /** Resolves when no step runs any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
      this.#checkIdle();
    });
  }

  /**
   * Calls `onStuck` when plans wait although no step runs or is queued: they wait for something that no step will make.
   * @returns a function that ends the watch.
   */
  watchForStuckPlans(onStuck: () => void): () => void {
    let idleChecks = 0;
    const timer = setInterval(() => {
      idleChecks = this.#isIdle() ? idleChecks + 1 : 0;
      if (idleChecks === idleChecksMax) onStuck();
    }, 50);
    return () => clearInterval(timer);
  }

  /** Others' work that a plan may rightly wait for, such as a claim or a download of a tokenizer. */
  async holding<T>(work: Promise<T>): Promise<T> {
    this.#preparing++;
    try {
      return await work;
    } finally {
      this.#preparing--;
      this.#checkIdle();
    }
  }

  #isIdle(): boolean {
    return this.#busy === 0 && this.#preparing === 0 && this.#queue.length === 0 && this.#externalQueue.length === 0;
  }

  #checkIdle(): void {
    if (!this.#isIdle()) return;
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }

  #inputsThere(run: StepRun): void {
    if (this.#stopped !== undefined) return this.#block(run, this.#stopped);
    const bad = [...inputParts(run.inputs)].find((part) => part instanceof PendingPart && (part.step as StepRun).outputs === undefined) as
      | PendingPart
      | undefined;
    if (bad) return (bad.step as StepRun).state === 'unknown' ? this.#unknown(run) : this.#block(run, (bad.step as StepRun).error);
    try {
      this.#decide(run);
    } catch (error) {
      this.#failed(run, error);
    }
  }

  #decide(run: StepRun): void {
    const known = this.#work.lookup(run);
    if (known) {
      run.done(known);
      return this.#work.hit(run);
    }
    if (this.#options.dryRun) return this.#unknown(run);
    const twin = run.key === undefined ? undefined : this.#inFlight.get(run.key);
    if (twin) return twin.onEnd(() => this.#follow(run, twin));
    if (run.key !== undefined) this.#inFlight.set(run.key, run);
    this.#enqueue(run);
  }

  /** Equal keys in flight share one run. */
  #follow(run: StepRun, twin: StepRun): void {
    if (!twin.result) return this.#block(run, twin.error);
    run.done(twin.result);
    this.#work.hit(run);
  }

  #enqueue(run: StepRun): void {
    run.state = 'queued';
    const waiting = this.#work.ready(run);
    if (!waiting) return this.#queued(run);
    this.#preparing++;
    waiting
      .then(
        () => this.#queued(run),
        (error) => this.#failed(run, error),
      )
      .finally(() => {
        this.#preparing--;
        this.#checkIdle();
      });
  }

  #queued(run: StepRun): void {
    if (this.#stopped !== undefined) return this.#block(run, this.#stopped);
    (run.definition.external ? this.#externalQueue : this.#queue).push(run);
    this.#pump();
  }

  #pump(): void {
    if (this.#options.pausing?.isPaused) return;
    while (this.#externals < externalStepsMax && this.#externalQueue.length > 0) {
      this.#externals++;
      void this.#start(this.#externalQueue.shift() as StepRun, () => this.#externals--);
    }
    while (this.#queue.length > 0) {
      const units = unitsOf(this.#queue[0] as StepRun);
      if (this.#units < units) break;
      this.#units -= units;
      void this.#start(this.#queue.shift() as StepRun, () => {
        this.#units += units;
      });
    }
  }

  async #start(run: StepRun, release: () => void): Promise<void> {
    this.#busy++;
    run.state = 'running';
    try {
      const result = await this.#work.execute(run);
      this.#forget(run);
      run.done(result);
      this.#work.ended(run, 'ran');
    } catch (error) {
      this.#failed(run, error);
    } finally {
      this.#busy--;
      release();
      this.#pump();
      this.#checkIdle();
    }
  }

  #failed(run: StepRun, thrown: unknown): void {
    const error = explained(thrown);
    if (isInterruption(error)) {
      this.stop(error);
      return this.#block(run, error);
    }
    this.#forget(run);
    run.fail(error);
    this.#work.ended(run, 'failed');
    if (!this.#options.keepGoing || endsEverything(error)) this.stop(error);
  }

  #block(run: StepRun, reason: unknown): void {
    this.#forget(run);
    run.fail(reason, 'blocked');
    this.#work.ended(run, 'blocked');
  }

  #unknown(run: StepRun): void {
    run.unknown();
    this.#work.ended(run, 'unknown');
  }

  #forget(run: StepRun): void {
    if (run.key !== undefined && this.#inFlight.get(run.key) === run) this.#inFlight.delete(run.key);
  }
}

const isOver = (part: PendingPart): boolean => (part.step as StepRun).isOver;

/** Going on is no use on a full disk, nor when the sources are no longer the ones that were planned with. */
const endsEverything = (error: unknown): boolean => error instanceof BuildError && ['disk-full', 'source-changed'].includes(error.code);

function unitsOf(run: StepRun): number {
  let bytes = 0;
  for (const part of inputParts(run.inputs)) bytes += part.bytes;
  return bytes < smallStepBytes ? 1 : unitsPerJob;
}
