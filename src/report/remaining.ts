import type { TargetEstimate } from '../base/events.ts';
import type { BuildView, TargetView } from './state.ts';

/** Time that a build still needs, as far as can be told. */
export interface Remaining {
  readonly ms: number;
  /** Of some targets nothing is known yet: it will be more. */
  readonly isAtLeast: boolean;
}

export const isOver = ({ state }: TargetView): boolean => state !== 'waiting' && state !== 'running';

/** Steps of this run tell more than those of earlier ones, as soon as there are a few. */
const stepsTelling = 3;

function stepMsOf({ ran, ranMs }: TargetView, expected: TargetEstimate | undefined): number | undefined {
  if (ran >= stepsTelling) return ranMs / ran;
  if (expected && expected.steps > 0 && !expected.isAtLeast) return expected.workMs / expected.steps;
  return ran > 0 ? ranMs / ran : undefined;
}

/** Steps that a target still has to run: while an input is in the making, not all are asked for yet. */
function stepsLeft(target: TargetView, view: BuildView, expected: TargetEstimate | undefined): number | undefined {
  const asked = Math.max(0, target.planned - target.ended);
  const inputs = target.needs.flatMap((need) => view.targets.get(need) ?? []);
  if (inputs.every(isOver) && target.planned > 0) return asked;
  if (expected) return Math.max(asked, expected.steps - target.ran);
  return target.planned > 0 ? asked : undefined;
}

/** Undefined while nothing is known, and when nothing is left. */
export function remainingOf(view: BuildView): Remaining | undefined {
  let [ms, unknown, known] = [0, 0, 0];
  for (const target of view.targets.values()) {
    if (isOver(target)) continue;
    const expected = view.estimate?.targets[target.name];
    const stepMs = stepMsOf(target, expected);
    const steps = stepsLeft(target, view, expected);
    // Of a target that has nothing to do, no step tells how long it takes.
    if (steps === undefined || (steps > 0 && stepMs === undefined)) unknown++;
    else {
      known++;
      ms += steps * (stepMs ?? 0);
    }
  }
  if (known === 0) return undefined;
  return { ms: ms / Math.max(1, view.jobs), isAtLeast: unknown > 0 };
}
