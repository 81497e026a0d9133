import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { Facts, Form, Part } from '../rule/part.ts';
import type { Placed } from '../rule/rule.ts';

/** A plan asked for something that only a run can tell. In a dry run that suspends the plan; in a build it is a rule's mistake. */
export class UnknownYet extends BuildError {
  constructor(message: string) {
    super('unknown-yet', { message });
  }
}

/** For `catch`, where a plan is run again for what is known of it: what came from a remote cache has steps that never ran here. */
export function undefinedIfUnknown(error: unknown): undefined {
  if (!(error instanceof UnknownYet)) throw error;
}

/** A step's output that may not exist yet: it can be passed on to further steps; its digest and facts are known when the step has ended. */
export class PendingPart implements Part {
  readonly step: PendingStep;
  readonly output: string;
  readonly #placed: Placed;

  /** @param placed where the plan has put it, if it says so. */
  constructor(step: PendingStep, output: string, placed: Placed = {}) {
    this.step = step;
    this.output = output;
    this.#placed = placed;
  }

  get settled(): Part {
    const parts = this.step.outputs?.[this.output];
    if (!parts)
      throw new UnknownYet(`the output "${this.output}" of step "${this.step.name}" is not there yet: await the step before reading it`);
    if (parts.length === 1) return parts[0] as Part;
    throw new BuildError('not-one-part', {
      message: `step "${this.step.name}" gave ${parts.length} parts as "${this.output}" where one is used; await it and take its parts`,
    });
  }

  get digest(): Digest {
    return this.settled.digest;
  }
  get form(): Form {
    return this.settled.form;
  }
  get bytes(): number {
    return this.settled.bytes;
  }
  get facts(): Facts {
    return this.settled.facts;
  }
  get group(): string {
    return this.#placed.group ?? this.step.group;
  }
}

/** What a pending part needs to know of its step. */
export interface PendingStep {
  readonly name: string;
  readonly group: string;
  readonly outputs: Readonly<Record<string, readonly Part[]>> | undefined;
}

/** The part itself, once its step has ended. */
export const settledPart = (part: Part): Part => (part instanceof PendingPart ? part.settled : part);
