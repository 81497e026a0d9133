import type { StepResult } from '../cache/results.ts';
import type { Made } from '../execute/job.ts';
import type { Facts } from '../rule/part.ts';

/** Shared by the many steps that count nothing and quarantine nothing. */
const nothingCounted: Facts = Object.freeze({});
const noRecords: StepResult['quarantined'] = Object.freeze([]);

const factsOf = (facts: Facts): Facts => (Object.keys(facts).length === 0 ? nothingCounted : facts);

/** What a step made, as it is kept under its key. @param external whether it came from outside. */
export function resultOf({ parts, counters, quarantined, tookMs }: Made, external = false): StepResult {
  return {
    parts: parts.map(({ output, form, digest, bytes, facts, name }) => {
      const part = { output, form, digest, bytes, facts: factsOf(facts), group: '' };
      return name === undefined ? part : { ...part, name };
    }),
    counters: factsOf(counters),
    quarantined: quarantined.length === 0 ? noRecords : quarantined,
    tookMs,
    ...(external && { external }),
  };
}
