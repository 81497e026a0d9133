import type { Earlier, History } from './history.ts';
import type { BuildView, TargetView } from './state.ts';

/** Time that a build still needs, as far as can be told. */
export interface Remaining {
  readonly ms: number;
  /** Of some targets nothing is known yet: it will be more. */
  readonly isAtLeast: boolean;
}

const isOver = ({ state }: TargetView): boolean => state !== 'waiting' && state !== 'running';

/** Steps of this run tell more than those of earlier ones, as soon as there are a few. */
const stepsTelling = 3;

function stepMsOf({ ran, ranMs }: TargetView, earlier: Earlier | undefined): number | undefined {
  if (ran >= stepsTelling) return ranMs / ran;
  return earlier?.stepMs ?? (ran > 0 ? ranMs / ran : undefined);
}

/** Steps that a target will have: while an input is in the making, not all are asked for yet. */
function stepsOf(target: TargetView, view: BuildView, earlier: Earlier | undefined): number {
  const inputs = target.needs.flatMap((need) => view.targets.get(need) ?? []);
  return inputs.every(isOver) && target.planned > 0 ? target.planned : Math.max(target.planned, earlier?.steps ?? 0);
}

/** Of the steps that are over in this build, the share that had to run; what still waits will be much the same. */
function runShare({ targets }: BuildView): number {
  let [ran, known] = [0, 0];
  for (const target of targets.values()) {
    ran += target.ran;
    known += target.hit;
  }
  return ran + known === 0 ? 1 : ran / (ran + known);
}

/** Undefined while nothing is known, and when nothing is left. */
export function remainingOf(view: BuildView, history: History): Remaining | undefined {
  const share = runShare(view);
  let [ms, unknown, known] = [0, 0, 0];
  for (const target of view.targets.values()) {
    if (isOver(target)) continue;
    const earlier = history.get(target.name);
    const stepMs = stepMsOf(target, earlier);
    const steps = stepsOf(target, view, earlier);
    if (stepMs === undefined || steps === 0) {
      unknown++;
      continue;
    }
    known++;
    ms += Math.max(0, steps - target.ended) * stepMs * (target.state === 'waiting' ? share : 1);
  }
  if (known === 0) return undefined;
  return { ms: ms / Math.max(1, view.jobs), isAtLeast: unknown > 0 };
}
