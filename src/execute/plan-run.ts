import { BuildError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Part } from '../rule/part.ts';
import type { Build, Placed, PlanInputs, Running } from '../rule/rule.ts';
import type { StepDefinition, StepInputs } from '../rule/step.ts';
import { OutputStream, place } from './output-stream.ts';
import { PendingPart } from './pending.ts';
import { PlanInput } from './plan-input.ts';
import type { Scheduler } from './scheduler.ts';
import { StepRun, stepOf } from './step-run.ts';

/** What is emitted without a place of its own. */
const nowhereElse: Placed = Object.freeze({});

/** One run of a target's plan: takes the steps that it asks for, keeps the places of what it emits. */
export class PlanRun implements Build {
  readonly target: GraphTarget;
  readonly outputs: Readonly<Record<string, OutputStream>>;
  readonly steps: StepRun[] = [];
  /** The collections that it reads, in the order of its target's inputs. */
  readonly inputs: OutputStream[] = [];
  readonly #scheduler: Scheduler;
  readonly #owners: WeakMap<StepRun, PlanRun>;
  #unfinished = 0;
  #waiters: (() => void)[] = [];
  #over = false;

  constructor(target: GraphTarget, scheduler: Scheduler, owners: WeakMap<StepRun, PlanRun>) {
    this.target = target;
    this.#scheduler = scheduler;
    this.#owners = owners;
    this.outputs = Object.fromEntries(outputNames(target).map((name) => [name, new OutputStream()]));
  }

  step<In extends StepInputs, P, Out extends string>(definition: StepDefinition<In, P, Out>, inputs: In, params: P): Running<Out> {
    this.#assertRunning();
    const run = new StepRun(definition as unknown as StepDefinition, inputs, params);
    this.#owners.set(run, this);
    this.steps.push(run);
    this.#unfinished++;
    run.onEnd(() => this.#stepEnded());
    this.#scheduler.submit(run);
    return run.asRunning() as Running<Out>;
  }

  emit(item: Part | Running, placed: Placed = nowhereElse): void {
    this.#assertRunning();
    const stream = this.outputs[placed.output ?? (outputNames(this.target)[0] as string)];
    if (!stream) {
      throw new BuildError('bad-plan', {
        message: `rule "${this.target.rule.name}" has no output "${placed.output}"`,
        where: this.target.name,
      });
    }
    if (item instanceof PendingPart) stream.push({ step: item.step as StepRun, output: item.output, placed });
    else if ('digest' in item) stream.push({ part: place(item, placed), origin: item });
    else {
      const step = stepOf(item);
      stream.push({ step, output: step.definition.outputs[0] as string, placed });
    }
  }

  fail(code: string, details: { message: string; hint?: string }): never {
    throw new BuildError(code, { ...details, where: this.target.name });
  }

  /** It has asked for all of its steps. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Runs the plan to its end and waits for all its steps. Throws what the plan threw. */
  async run(inputs: Readonly<Record<string, unknown>>, options: unknown): Promise<void> {
    const plan = this.target.rule.plan as (inputs: PlanInputs<never>, options: unknown, build: Build) => Promise<void>;
    try {
      await plan(inputs as never, options, this);
      this.#over = true;
      for (const stream of Object.values(this.outputs)) stream.close();
    } catch (error) {
      this.#over = true;
      for (const stream of Object.values(this.outputs)) stream.close(error);
      throw error;
    } finally {
      while (this.#unfinished > 0) await this.#stepEnds();
    }
  }

  /** Ends a plan that waits for something that will never come. */
  abandon(error: unknown): void {
    for (const stream of Object.values(this.outputs)) stream.close(error);
  }

  inputFrom(stream: OutputStream): PlanInput {
    this.inputs.push(stream);
    return new PlanInput(stream, () => this.#room());
  }

  /** Resolves when few enough steps are unfinished. */
  async #room(): Promise<void> {
    if (this.#scheduler.stopped !== undefined) throw this.#scheduler.stopped;
    while (this.#unfinished >= limits.unfinishedStepsMax) await this.#stepEnds();
  }

  #stepEnds(): Promise<void> {
    return new Promise((resolve) => void this.#waiters.push(resolve));
  }

  #stepEnded(): void {
    this.#unfinished--;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #assertRunning(): void {
    if (this.#scheduler.stopped !== undefined) throw this.#scheduler.stopped;
    if (this.#over) throw new BuildError('bad-plan', { message: 'the plan asked for a step after it had ended', where: this.target.name });
  }
}

/** A target's outputs, the main one first. */
export const outputNames = ({ rule }: GraphTarget): string[] => (typeof rule.output === 'string' ? ['main'] : Object.keys(rule.output));
