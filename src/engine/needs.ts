import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { StepRun } from '../execute/step-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { BuildRun } from './build-run.ts';

/**
 * Brings back bytes that a result names but nobody holds any more: finds the step that makes them, by running the plan of its target again
 * (all hits), and runs that one step. So intermediate bytes may be thrown away, and a missing blob is never fatal.
 */
export class Needs {
  readonly #run: BuildRun;
  readonly #underWay = new Map<Digest, Promise<void>>();

  constructor(run: BuildRun) {
    this.#run = run;
  }

  /** @param consumer the plan whose step reads the bytes: they were made by one of its own steps, or upstream of it. */
  need(digest: Digest, consumer: PlanRun): Promise<void> {
    return this.#once(digest, async () => {
      const own = producerIn(consumer, digest);
      if (own) return this.#make(own, consumer, digest);
      await this.#search(upstream(consumer.target), digest);
    });
  }

  /** @param target the target whose output is to be published. */
  needOf(digest: Digest, target: GraphTarget): Promise<void> {
    return this.#once(digest, () => this.#search([target, ...upstream(target)], digest));
  }

  #once(digest: Digest, make: () => Promise<void>): Promise<void> {
    if (this.#run.locations.locate(digest)) return Promise.resolve();
    let made = this.#underWay.get(digest);
    if (!made) {
      made = make().finally(() => this.#underWay.delete(digest));
      this.#underWay.set(digest, made);
    }
    return made;
  }

  async #search(targets: readonly GraphTarget[], digest: Digest): Promise<void> {
    for (const target of targets) {
      const plan = await this.#run.targets.get(target)?.replay();
      const producer = plan && producerIn(plan, digest);
      if (plan && producer) return this.#make(producer, plan, digest);
    }
    throw new BuildError('missing-bytes', {
      message: `the bytes of ${digest.slice(0, 12)} are gone, and no step was found that makes them`,
      hint: 'Build again with --force.',
    });
  }

  async #make(known: StepRun, plan: PlanRun, digest: Digest): Promise<void> {
    const again = new StepRun(known.definition, known.inputs, known.params);
    again.key = known.key;
    this.#run.owners.set(again, plan);
    this.#run.restoring(again);
    this.#run.scheduler.force(again);
    await again.outcome();
    if (this.#run.locations.locate(digest)) return;
    throw new BuildError('not-deterministic', {
      message: `step "${known.name}" of ${plan.target.name} gave other bytes than before for the same inputs`,
      where: plan.target.name,
      hint: 'A rule or program reads something that is not declared. Build this target again with --force.',
    });
  }
}

const producerIn = (plan: PlanRun, digest: Digest): StepRun | undefined =>
  plan.steps.find((step) => step.result?.parts.some((part) => part.digest === digest && !isInput(step, digest)));

/** A step that passes an input on did not make its bytes. */
const isInput = (step: StepRun, digest: Digest): boolean =>
  Object.values(step.inputs).some((given) => (Array.isArray(given) ? given : [given]).some((part) => part.digest === digest));

function upstream(target: GraphTarget): GraphTarget[] {
  const found = new Set<GraphTarget>();
  const visit = (from: GraphTarget): void => {
    for (const { from: next } of from.inputs) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(target);
  return [...found];
}
