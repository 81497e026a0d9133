import type { BuildEvent } from '../base/events.ts';
import type { PlanRun } from '../execute/plan-run.ts';
import type { StepListener } from '../execute/runner.ts';
import type { StepRun } from '../execute/step-run.ts';
import { kindOf } from '../plan/rates.ts';
import type { BuildRun } from './build-run.ts';
import { RunningSteps } from './running-steps.ts';
import { shownError } from './shown.ts';

interface Try {
  readonly attempt: number;
  readonly bytesIn: number;
}

/** Tells of steps while they run, each in its time. */
export class ToldSteps {
  readonly #run: BuildRun;
  readonly #running: RunningSteps;
  /** How many steps of each kind have begun; and those with which a worker, as far as can be told, meets a kind for the first time. */
  readonly #begun = new Map<string, number>();
  readonly #firsts = new Set<StepRun>();

  constructor(run: BuildRun) {
    this.#run = run;
    this.#running = new RunningSteps(run.runner.jobs);
  }

  /** Whoever runs a step calls it. */
  listener(step: StepRun, { attempt, bytesIn }: Try): Required<StepListener> {
    const { emit } = this.#run.project;
    const { rule, name: target } = this.#ownerOf(step).target;
    const { id, name, definition } = step;
    const tell = (): void => emit({ type: 'step-started', target, step: name, id, bytesIn });
    return {
      begins: () => {
        this.#noteFirst(step, kindOf(rule.name, name));
        // Steps that reach outside run beside the workers.
        if (definition.external) tell();
        else this.#running.begins(id, tell);
      },
      lost: (error) => this.failed(step, error, { attempt, final: false }),
      progress: (done, total) => emit({ type: 'step-progress', target, id, done, ...(total !== undefined && { total }) }),
    };
  }

  failed(step: StepRun, error: unknown, how: { attempt: number; final: boolean }): void {
    const { id, name } = step;
    const target = this.#ownerOf(step).target.name;
    const tell = (): void => this.#run.project.emit({ type: 'step-failed', target, step: name, id, ...how, error: shownError(error) });
    this.#running.fails(id, tell);
  }

  /** What it made is kept. */
  finished(event: Extract<BuildEvent, { type: 'step-finished' }>): void {
    this.#running.finishes(event.id, () => this.#run.project.emit(event));
  }

  isFirst(step: StepRun): boolean {
    return this.#firsts.has(step);
  }

  #noteFirst(step: StepRun, kind: string): void {
    const begun = (this.#begun.get(kind) ?? 0) + 1;
    this.#begun.set(kind, begun);
    if (begun <= this.#run.runner.jobs) this.#firsts.add(step);
  }

  #ownerOf(step: StepRun): PlanRun {
    return this.#run.owners.get(step) as PlanRun;
  }
}
