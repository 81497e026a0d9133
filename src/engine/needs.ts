import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import { StepRun } from '../execute/step-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { upstreamOf } from '../graph/upstream.ts';
import type { BuildRun } from './build-run.ts';
import { givenAgain } from './file-part.ts';

/** Bytes that nobody has here. How many is known of the parts of a plan. */
export interface MissingBytes {
  readonly digest: Digest;
  readonly bytes?: number;
}

/**
 * Brings back bytes that a result names but nobody here holds any more: from the remote cache, or else by finding the step that makes them, by running the plan of its target again
 * (all hits), and runs that one step. So intermediate bytes may be thrown away, and a missing blob is never fatal.
 */
export class Needs {
  readonly #run: BuildRun;
  readonly #underWay = new Map<Digest, Promise<void>>();

  constructor(run: BuildRun) {
    this.#run = run;
  }

  /** @param consumer the plan whose step reads the bytes: they were made by one of its own steps, or upstream of it. */
  need({ digest, bytes }: MissingBytes, consumer: PlanRun): Promise<void> {
    return this.#once(digest, async () => {
      const places = [consumer.target, ...upstreamOf(consumer.target)];
      if (await this.#fetch({ digest, bytes }, places)) return;
      const own = producerIn(consumer, digest);
      if (own) return this.#make(own, consumer, digest);
      await this.#search(upstreamOf(consumer.target), digest);
    });
  }

  /** @param target the target whose output is to be published. */
  needOf(digest: Digest, target: GraphTarget): Promise<void> {
    const places = [target, ...upstreamOf(target)];
    return this.#once(digest, async () => {
      if (!(await this.#fetch({ digest }, places))) await this.#search(places, digest);
    });
  }

  /** Brings bytes of a target from the remote cache, and makes nothing. @returns whether they are here. */
  async bring(missing: MissingBytes, target: GraphTarget): Promise<boolean> {
    if (this.#run.locations.locate(missing.digest)) return true;
    return this.#fetch({ bytes: undefined, ...missing }, [target, ...upstreamOf(target)]);
  }

  /** Whether the remote cache has them. */
  async #fetch({ digest, bytes }: { digest: Digest; bytes?: number | undefined }, places: readonly GraphTarget[]): Promise<boolean> {
    const { remote, targets, distrusts } = this.#run;
    if (!remote || distrusts) return false;
    const builds = places.flatMap((target) => targets.get(target) ?? []);
    return remote.need(digest, builds, bytes);
  }

  #once(digest: Digest, make: () => Promise<void>): Promise<void> {
    if (this.#run.locations.locate(digest) || givenAgain(this.#run, digest)) return Promise.resolve();
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
    const isFromElsewhere = targets.some((target) => this.#run.targets.get(target)?.result?.origin !== undefined);
    if (isFromElsewhere) throw remoteDiffers(targets[0]?.name);
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
    if (known.result?.origin !== undefined) throw remoteDiffers(plan.target.name);
    throw new BuildError('not-deterministic', {
      message: `step "${known.name}" of ${plan.target.name} gave other bytes than before for the same inputs`,
      where: plan.target.name,
      hint: 'A rule or program reads something that is not declared. Build this target again with --force.',
    });
  }
}

/** A result from elsewhere names bytes that no step makes here: the build begins again and believes none of these. */
const remoteDiffers = (where = ''): BuildError =>
  new BuildError('remote-differs', {
    message: 'what the remote cache says of this target is not what its steps give here',
    where,
    hint: 'Somebody wrote other results there, or a rule reads something that is not declared.',
  });

const producerIn = (plan: PlanRun, digest: Digest): StepRun | undefined =>
  plan.steps.find((step) => step.result?.parts.some((part) => part.digest === digest && !isInput(step, digest)));

/** A step that passes an input on did not make its bytes. */
const isInput = (step: StepRun, digest: Digest): boolean =>
  Object.values(step.inputs).some((given) => (Array.isArray(given) ? given : [given]).some((part) => part.digest === digest));
