/** A scheduler whose steps run when the test says so, and end when the test says so. */
import type { OutputPart, StepResult } from '../../src/cache/results.ts';
import { OutputStream } from '../../src/execute/output-stream.ts';
import { PlanRun } from '../../src/execute/plan-run.ts';
import { Scheduler, type SchedulerOptions, type StepWork } from '../../src/execute/scheduler.ts';
import { type StepRun, settledInputs } from '../../src/execute/step-run.ts';
import type { GraphTarget } from '../../src/graph/graph.ts';
import type { Part } from '../../src/rule/part.ts';
import type { Build, OutputSpec } from '../../src/rule/rule.ts';
import { defineExternalStep, defineStep } from '../../src/rule/step.ts';

/** All promises that can go on have gone on. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A part that is large enough to take a worker of its own. */
export const part = (name: string, bytes = 1 << 20): Part => ({
  digest: Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64),
  form: 'file',
  bytes,
  facts: {},
  group: 'a/b',
});

interface StepParams {
  readonly name: string;
  /** Steps of one key share a run; by default a step's name is its key. */
  readonly key?: string;
}

type Inputs = { readonly parts: readonly Part[] };
const local = defineStep('local', { version: 1, outputs: ['main', 'other'] }, (_: Inputs, __: StepParams) => {});
export const external = defineExternalStep('external', { version: 1 }, async (_: Inputs, __: StepParams) => {});

const paramsOf = (run: StepRun): StepParams => run.params as StepParams;
const nameOf = (run: StepRun): string => paramsOf(run).name;

interface Open {
  readonly resolve: (result: StepResult) => void;
  readonly reject: (error: unknown) => void;
}

const resultOf = (outputs: readonly OutputPart[]): StepResult => ({ parts: outputs, counters: {}, quarantined: [], tookMs: 0 });

/** Opens and closes steps by hand. */
export class Hands implements StepWork {
  /** In the order of their starting. */
  readonly started: string[] = [];
  readonly ends: string[] = [];
  readonly known = new Map<string, StepResult>();
  /** Steps whose input bytes have to be brought first, by name. */
  readonly bringing = new Map<string, Promise<void>>();
  readonly #open = new Map<string, Open>();

  get running(): string[] {
    return [...this.#open.keys()];
  }

  lookup(run: StepRun): StepResult | undefined {
    // As in a build, where the key is made of what the inputs turned out to be.
    settledInputs(run.inputs);
    run.key = paramsOf(run).key ?? nameOf(run);
    return this.known.get(run.key);
  }

  ready(run: StepRun): Promise<void> | undefined {
    return this.bringing.get(nameOf(run));
  }

  execute(run: StepRun): Promise<StepResult> {
    this.started.push(nameOf(run));
    return new Promise((resolve, reject) => void this.#open.set(nameOf(run), { resolve, reject }));
  }

  ended(run: StepRun, how: string): void {
    this.ends.push(`${nameOf(run)} ${how}`);
  }

  hit(run: StepRun): void {
    this.ends.push(`${nameOf(run)} hit`);
  }

  /** What a step gives: by default one part of its name. */
  static made(...names: readonly string[]): StepResult {
    return resultOf(names.map((name) => ({ ...part(name), output: 'main', group: '' })));
  }

  async end(name: string, result = Hands.made(name)): Promise<void> {
    this.#take(name).resolve(result);
    await settled();
  }

  async fail(name: string, error: unknown = new Error(`${name} failed`)): Promise<void> {
    this.#take(name).reject(error);
    await settled();
  }

  #take(name: string): Open {
    const open = this.#open.get(name);
    if (!open) throw new Error(`step ${name} does not run; ${this.running.join(', ') || 'none'} do`);
    this.#open.delete(name);
    return open;
  }
}

export interface Planned {
  readonly plan: PlanRun;
  /** Undefined when it ended well. */
  readonly error: Promise<unknown>;
}

/** Runs plans on steps that the test holds in its hands. */
export class Stage {
  readonly hands = new Hands();
  readonly scheduler: Scheduler;
  readonly #owners = new WeakMap<StepRun, PlanRun>();

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.scheduler = new Scheduler(this.hands, { jobs: 1, keepGoing: false, dryRun: false, ...options });
  }

  plan(run: (build: Build, plan: PlanRun) => Promise<void> | void, output: OutputSpec = 'documents'): Planned {
    const rule = { name: 'by-hand', output, plan: async (inputs: { plan: PlanRun }, _: unknown, build: Build) => run(build, inputs.plan) };
    const plan = new PlanRun({ name: 'target', rule } as unknown as GraphTarget, this.scheduler, this.#owners);
    const error = plan.run({ plan }, {}).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return { plan, error };
  }
}

/** Asks for a step by name that reads these parts. */
export const ask = (build: Build, name: string, parts: readonly Part[] = [part('in')], key?: string) =>
  build.step(local, { parts }, { name, ...(key !== undefined && { key }) });

export const streamOf = (parts: readonly Part[]): OutputStream => OutputStream.of(parts);
