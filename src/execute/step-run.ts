import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { OutputPart, StepResult } from '../cache/results.ts';
import type { Part } from '../rule/part.ts';
import type { Running, StepOutcome } from '../rule/rule.ts';
import type { StepDefinition, StepInputs } from '../rule/step.ts';
import { PendingPart, type PendingStep, settledPart, UnknownYet } from './pending.ts';

/**
 * waiting (for inputs) -> queued -> running -> done | failed; waiting -> done when its result is known;
 * waiting -> blocked when an input failed; waiting -> unknown in a dry run.
 */
export type StepState = 'waiting' | 'queued' | 'running' | 'done' | 'failed' | 'blocked' | 'unknown';

let nextId = 1;

function partOf({ output: _, form, digest, bytes, facts, name }: OutputPart, group: string): Part {
  const part = { digest, form, bytes, facts, group };
  return name === undefined ? part : { ...part, name };
}

/** One step of one plan, from the moment it is asked for until its result is known. */
export class StepRun implements PendingStep {
  readonly id = nextId++;
  readonly definition: StepDefinition;
  readonly inputs: StepInputs;
  readonly params: unknown;
  readonly part: Readonly<Record<string, Part>>;
  state: StepState = 'waiting';
  key: Digest | undefined;
  result: StepResult | undefined;
  outputs: Readonly<Record<string, readonly Part[]>> | undefined;
  error: unknown;
  #ended: (() => void)[] | undefined;

  constructor(definition: StepDefinition, inputs: StepInputs, params: unknown) {
    this.definition = definition;
    this.inputs = inputs;
    this.params = params;
    this.part = Object.fromEntries(definition.outputs.map((output) => [output, new PendingPart(this, output)]));
  }

  get name(): string {
    return this.definition.name;
  }

  /** The group of its first input: what it makes belongs there unless the plan says otherwise. */
  get group(): string {
    return inputParts(this.inputs).next().value?.group ?? '';
  }

  get isOver(): boolean {
    return this.state !== 'waiting' && this.state !== 'queued' && this.state !== 'running';
  }

  onEnd(listener: () => void): void {
    if (this.isOver) listener();
    else if (this.#ended) this.#ended.push(listener);
    else this.#ended = [listener];
  }

  done(result: StepResult): void {
    this.result = result;
    const outputs: Record<string, Part[]> = Object.fromEntries(this.definition.outputs.map((output) => [output, []]));
    const { group } = this;
    for (const part of result.parts) outputs[part.output]?.push(partOf(part, group));
    this.outputs = outputs;
    this.#end('done');
  }

  fail(error: unknown, state: 'failed' | 'blocked' = 'failed'): void {
    this.error = error;
    this.#end(state);
  }

  /** In a dry run: it would have to run, so nothing is known of its outputs. */
  unknown(): void {
    this.#end('unknown');
  }

  /** What a plan gets that awaits the step. A promise is made only then: most steps are never awaited. */
  outcome(): Promise<StepOutcome> {
    return new Promise((resolve, reject) => {
      this.onEnd(() => {
        if (this.outputs) resolve({ parts: this.outputs, counters: this.result?.counters ?? {} });
        else reject(this.error ?? new UnknownYet(`step "${this.name}" has not run`));
      });
    });
  }

  /** The handle that a plan holds. */
  asRunning(): Running {
    const running: Running = {
      part: this.part,
      // biome-ignore lint/suspicious/noThenProperty: a running step is awaited by plans, and makes its promise only then
      then: (onDone, onError) => this.outcome().then(onDone, onError),
    };
    handles.set(running, this);
    return running;
  }

  #end(state: StepState): void {
    this.state = state;
    const listeners = this.#ended ?? [];
    this.#ended = undefined;
    for (const listener of listeners) listener();
  }
}

const handles = new WeakMap<object, StepRun>();

/** The step behind a handle that a plan passes back. */
export function stepOf(running: Running): StepRun {
  const step = handles.get(running);
  if (!step) throw new BuildError('bad-plan', { message: 'emit takes a part, or what build.step gave' });
  return step;
}

/** What a step works on, and what its lineage speaks of: the parts of its first input. Others, such as a tokenizer, only say how. */
export function workedOn(inputs: StepInputs): readonly Part[] {
  const [first = []] = Object.values(inputs).filter((given) => given !== undefined);
  return Array.isArray(first) ? first : [first as Part];
}

export function* inputParts(inputs: StepInputs): Generator<Part> {
  for (const given of Object.values(inputs)) {
    if (Array.isArray(given)) yield* given as readonly Part[];
    else if (given) yield given as Part;
  }
}

/** The inputs with every pending part replaced by the real one. */
export function settledInputs(inputs: StepInputs): StepInputs {
  return Object.fromEntries(
    Object.entries(inputs)
      .filter(([, given]) => given !== undefined)
      .map(([name, given]) => [name, Array.isArray(given) ? given.map(settledPart) : settledPart(given as Part)]),
  );
}
