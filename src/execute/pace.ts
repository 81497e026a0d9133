import type { Job } from './job.ts';

/** A message to a worker costs less than this: steps that take longer gain nothing by travelling together. */
const quickMsMax = 1;
/** How much the latest run of a step says of the next. */
const weight = 1 / 8;

const kindOf = ({ rule, step }: Job): string => `${rule} ${step}`;

/** How long each kind of step has taken of late. */
export class Pace {
  readonly #tookMs = new Map<string, number>();

  /** Whether such steps are known to take less than a message does. */
  isQuick(job: Job): boolean {
    const tookMs = this.#tookMs.get(kindOf(job));
    return tookMs !== undefined && tookMs < quickMsMax;
  }

  took(job: Job, tookMs: number): void {
    const kind = kindOf(job);
    const before = this.#tookMs.get(kind) ?? tookMs;
    this.#tookMs.set(kind, before + (tookMs - before) * weight);
  }
}
