/** The engine's own time for a step that runs, and for one that is known (`npm run bench steps`). */
const engineMs = { ran: 0.08, known: 0.02 };

export interface Work {
  /** Time of all steps, one after the other; and of the longest chain of steps that wait for each other. */
  readonly workMs: number;
  readonly pathMs: number;
  readonly jobs: number;
  /** Steps that run, and steps that are known. */
  readonly ran: number;
  readonly known: number;
}

/**
 * How long steps take together: work / jobs, and what can not be shared of the longest chain.
 * Source: Graham 1969, "Bounds on multiprocessing timing anomalies" (the bound of list schedules, which is met where steps wait in a row).
 */
export function scheduleMs({ workMs, pathMs, jobs, ran, known }: Work): number {
  return Math.max(workMs / jobs, ran * engineMs.ran) + pathMs * (1 - 1 / jobs) + known * engineMs.known;
}
