import type { Digest } from '../base/digest.ts';
import type { Location } from '../cache/store.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { type StepRun, settledInputs } from '../execute/step-run.ts';
import { stepKey } from '../plan/manifest.ts';
import type { Part } from '../rule/part.ts';
import type { EarlierRun } from '../rule/step.ts';
import type { BuildRun } from './build-run.ts';
import { Predecessors } from './predecessors.ts';

export interface Earlier {
  readonly runs: readonly EarlierRun[];
  /** Where the bytes of their outputs lie. */
  readonly locations: Readonly<Record<Digest, Location>>;
}

const none: Earlier = { runs: [], locations: {} };

/**
 * What a step may take over from runs of itself on other versions of its input: of the same step head and the same other inputs, so that another
 * tokenizer, option, version or user module finds nothing.
 */
export class EarlierRuns {
  readonly #run: BuildRun;
  readonly #predecessors: Predecessors;

  constructor(run: BuildRun) {
    this.#run = run;
    this.#predecessors = new Predecessors(run.project);
  }

  /** @param head digest of all that is in the step's key but its inputs. */
  of(step: StepRun, plan: PlanRun, head: Digest): Earlier {
    const { rowPure } = step.definition;
    if (rowPure === undefined || this.#isOff(step, plan)) return none;
    const inputs = settledInputs(step.inputs);
    const runs: EarlierRun[] = [];
    const locations: Record<Digest, Location> = {};
    for (const part of this.#predecessors.of(step, plan)) {
      const result = this.#run.stepResult(stepKey(head, { ...inputs, [rowPure]: part }));
      if (result) runs.push(this.#located(result.parts, locations));
    }
    return { runs, locations };
  }

  /** A step that runs to prove its bytes, or to bring them back, does all of its work itself. */
  #isOff(step: StepRun, { target }: PlanRun): boolean {
    return (this.#run.options.paranoid ?? false) || this.#run.isForced(target.name) || this.#run.isRestoring(step);
  }

  /** Outputs of which all bytes are still there. */
  #located(parts: readonly (Part & { readonly output: string })[], locations: Record<Digest, Location>): EarlierRun {
    const found: Record<string, Part[]> = {};
    const gone = new Set<string>();
    for (const { output, ...part } of parts) {
      const location = this.#run.locations.locate(part.digest);
      if (!location) gone.add(output);
      else {
        locations[part.digest] = location;
        found[output] = [...(found[output] ?? []), part];
      }
    }
    return Object.fromEntries(Object.entries(found).filter(([output]) => !gone.has(output)));
  }
}
