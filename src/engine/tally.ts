import type { RowsReused, StepHow } from '../base/events.ts';
import type { Quarantined, StepResult } from '../cache/results.ts';
import { inputParts, type StepRun, workedOn } from '../execute/step-run.ts';
import { type Amount, noAmount, plus, type Way, type Ways } from '../plan/rates.ts';
import { sumOf } from '../rule/part.ts';

export type StepEnd = StepHow | 'failed' | 'blocked' | 'unknown';

/** What the steps of one target came to. Kept as sums: there may be 100,000 of them. */
export class Tally {
  readonly ends: Record<StepEnd, number> = { ran: 0, hit: 0, restored: 0, failed: 0, blocked: 0, unknown: 0 };
  readonly counters: Record<string, number> = {};
  readonly quarantined: Quarantined[] = [];
  /** Bad records of each group, to tell one that holds nothing else. */
  readonly quarantinedByGroup = new Map<string, number>();
  /** Time of its steps, known ones as long as they once took; and of those that ran now. */
  tookMs = 0;
  ranMs = 0;
  reused: RowsReused | undefined;
  /** By the name of the step: all that are over, and those that ran now. */
  readonly asked = new Map<string, Amount>();
  readonly ways = new Map<string, Ways>();

  add(step: StepRun, how: StepEnd): void {
    this.ends[how]++;
    if (how === 'restored' || !step.result) return;
    const { counters, quarantined, tookMs } = step.result;
    let bad = 0;
    for (const [name, count] of Object.entries(counters)) {
      this.counters[name] = (Object.hasOwn(this.counters, name) ? (this.counters[name] as number) : 0) + count;
      if (name.startsWith('quarantined:')) bad += count;
    }
    if (bad > 0) this.quarantinedByGroup.set(step.group, (this.quarantinedByGroup.get(step.group) ?? 0) + bad);
    if (this.quarantined.length < 1000) this.quarantined.push(...quarantined.map((bad) => ({ ...bad, group: step.group })));
    this.tookMs += tookMs;
    if (how === 'ran') this.ranMs += tookMs;
    this.asked.set(step.name, plus(this.asked.get(step.name) ?? noAmount, amountOf(step)));
  }

  /** How a step went that is about to be added as `ran`. */
  addWay({ name, inputs }: StepRun, result: StepResult, way: Way): void {
    const ways = this.ways.get(name);
    this.ways.set(name, { ...ways, [way]: plus(ways?.[way] ?? noAmount, amountOf({ inputs, result })) });
  }

  addReused({ rows, of }: RowsReused): void {
    this.reused = { rows: (this.reused?.rows ?? 0) + rows, of: (this.reused?.of ?? 0) + of };
  }
}

/** One step in figures. What it passed on as it came it did not write. */
function amountOf({ inputs, result }: Pick<StepRun, 'inputs' | 'result'>): Amount {
  const read = [...inputParts(inputs)];
  const { parts, tookMs } = result as StepResult;
  const written = parts.filter(({ digest }) => !read.some((part) => part.digest === digest));
  const bytesOf = (some: readonly { readonly bytes: number }[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  return { steps: 1, bytesIn: bytesOf(workedOn(inputs)), bytesOut: bytesOf(written), tokens: sumOf(parts, 'tokens'), tookMs };
}
