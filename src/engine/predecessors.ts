import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPart } from '../cache/part-reader.ts';
import { PendingPart, settledPart } from '../execute/pending.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import type { StepRun } from '../execute/step-run.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { decodeCollection } from '../rule/collection.ts';
import type { Part } from '../rule/part.ts';
import type { StepDefinition } from '../rule/step.ts';
import { readLastPlan } from './last-plan.ts';
import type { Project } from './project.ts';

const predecessorsMax = 4;
/** Where nothing tells what a part was made from, it is likely one of so many. */
const guessesMax = 2;

/** The parts that a target read when it was last built, in their order. */
class OldParts {
  readonly parts: readonly Part[];
  readonly #byDigest = new Map<Digest, number>();
  /** By the hash of their last record. */
  readonly #byLast = new Map<number, number[]>();

  constructor(parts: readonly Part[]) {
    this.parts = parts;
    for (const [place, { digest, facts }] of parts.entries()) {
      if (!this.#byDigest.has(digest)) this.#byDigest.set(digest, place);
      if (facts.u === undefined) continue;
      const places = this.#byLast.get(facts.u);
      if (places) places.push(place);
      else this.#byLast.set(facts.u, [place]);
    }
  }

  /** Where the part itself was; equal ones may have been at several places. */
  placeOf({ digest }: Part, from: number): number | undefined {
    return this.parts[from]?.digest === digest ? from : this.#byDigest.get(digest);
  }

  /** The next place of a part that ended with the same record. */
  placeOfLast({ facts }: Part, from: number): number | undefined {
    const places = (facts.u === undefined ? undefined : this.#byLast.get(facts.u)) ?? [];
    return places.find((place) => place >= from) ?? places.at(-1);
  }
}

/** The last of a range, the first, and so on inwards: where many parts became one, most of them were deleted, and it has the two ends. */
function bothEnds(range: readonly Part[], countMax: number): readonly Part[] {
  const fromEnds = range.map((_, i) => (i % 2 === 0 ? range.at(-1 - i / 2) : range[(i - 1) / 2]) as Part);
  return fromEnds.slice(0, countMax);
}

/** Goes through a plan's steps of one definition beside the old parts, and notes which of them a new part may have been made from. */
class Walk {
  readonly #old: OldParts;
  readonly #about: { plan: PlanRun; definition: StepDefinition; input: string };
  readonly #found = new WeakMap<StepRun, readonly Part[]>();
  #step = 0;
  /** Behind the old part that belongs to the new part before. */
  #place = 0;

  constructor(old: OldParts, about: { plan: PlanRun; definition: StepDefinition; input: string }) {
    this.#old = old;
    this.#about = about;
  }

  predecessors(step: StepRun): readonly Part[] {
    const { plan, definition } = this.#about;
    while (this.#step < plan.steps.length && !this.#found.has(step)) {
      const next = plan.steps[this.#step++] as StepRun;
      const part = next.definition === definition ? this.#partOf(next) : undefined;
      if (part) this.#found.set(next, this.#match(part));
    }
    return this.#found.get(step) ?? [];
  }

  #partOf(step: StepRun): Part | undefined {
    const given = step.inputs[this.#about.input] as Part | readonly Part[] | undefined;
    if (given === undefined || Array.isArray(given)) return undefined;
    const part = given as Part;
    const isThere = !(part instanceof PendingPart) || part.step.outputs !== undefined;
    return isThere ? settledPart(part) : undefined;
  }

  #match(part: Part): readonly Part[] {
    const same = this.#old.placeOf(part, this.#place);
    if (same !== undefined) {
      this.#place = same + 1;
      return [];
    }
    const last = this.#old.placeOfLast(part, this.#place);
    const { parts } = this.#old;
    if (last === undefined) return parts.slice(this.#place, this.#place++ + guessesMax);
    const range = parts.slice(Math.min(this.#place, last), last + 1);
    this.#place = last + 1;
    return bothEnds(range, predecessorsMax);
  }
}

/**
 * Finds the parts that stood, when a target was last built, where a new part stands now: most of its records are theirs. An edited chunk nearly
 * always still ends with the same record. All of it is guessing for the sake of speed: what is found may be anything, or nothing.
 */
export class Predecessors {
  readonly #project: Project;
  readonly #old = new Map<GraphTarget, OldParts>();
  readonly #walks = new WeakMap<PlanRun, Map<StepDefinition, Walk>>();

  constructor(project: Project) {
    this.#project = project;
  }

  /** Old parts in place of the `rowPure` input of a step, nearest first; none when that part itself was there. */
  of(step: StepRun, plan: PlanRun): readonly Part[] {
    const { definition } = step;
    if (definition.rowPure === undefined) return [];
    let walks = this.#walks.get(plan);
    if (!walks) {
      walks = new Map();
      this.#walks.set(plan, walks);
    }
    let walk = walks.get(definition);
    if (!walk) {
      walk = new Walk(this.#oldParts(plan.target), { plan, definition, input: definition.rowPure });
      walks.set(definition, walk);
    }
    return walk.predecessors(step);
  }

  #oldParts(target: GraphTarget): OldParts {
    let old = this.#old.get(target);
    if (!old) {
      old = new OldParts(this.#readOld(target));
      this.#old.set(target, old);
    }
    return old;
  }

  /** Of all inputs of the target, one after another. A target that reads sources has none. */
  #readOld({ name }: GraphTarget): Part[] {
    const { stateDir, store } = this.#project;
    const inputs = Object.values((readLastPlan(stateDir, name)?.manifest.inputs ?? {}) as Readonly<Record<string, Digest>>);
    return inputs.flatMap((digest) => {
      const location = store.locate(digest);
      try {
        return location ? decodeCollection(readPart(digest, location)) : [];
      } catch (error) {
        if (error instanceof BuildError) return [];
        throw error;
      }
    });
  }
}
