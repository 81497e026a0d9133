import type { Part } from '../rule/part.ts';
import type { Placed } from '../rule/rule.ts';
import { PendingPart } from './pending.ts';
import type { StepRun } from './step-run.ts';

/** A target that feeds this one failed or was stopped: what depends on it can not go on. */
export class UpstreamFailed extends Error {}

/** A place in the output: a part that is there, or an output of a step that may still run. */
export type Slot =
  | { readonly part: Part; readonly origin: Part }
  | { readonly step: StepRun; readonly output: string; readonly placed: Placed };

/**
 * One output of a target while it is being made. A place is taken when something is emitted; parts move into the finished list
 * in that order, whatever the order in which steps end.
 */
export class OutputStream {
  readonly parts: Part[] = [];
  /** What was emitted for each of the parts, before it got its group and name: an output of a step, or an input of the plan. */
  readonly origins: Part[] = [];
  #slots: Slot[] = [];
  #head = 0;
  #closed = false;
  #error: unknown;
  #waiters: (() => void)[] = [];

  /** A stream that is complete from the start. */
  static of(parts: readonly Part[]): OutputStream {
    const stream = new OutputStream();
    stream.parts.push(...parts);
    stream.#closed = true;
    return stream;
  }

  push(slot: Slot): void {
    this.#slots.push(slot);
    if ('step' in slot) slot.step.onEnd(() => this.advance());
    this.advance();
  }

  /** Nothing more will be emitted. */
  close(error?: unknown): void {
    this.#closed = true;
    this.#error ??= error;
    this.advance();
    this.#wake();
  }

  /** What ended it before it was whole. */
  get error(): unknown {
    return this.#error;
  }

  get isComplete(): boolean {
    return this.#error !== undefined || (this.#closed && this.#head === this.#slots.length);
  }

  /** Parts from `index` on as they are finished, in order. Ends when the stream is complete, throws when it failed. */
  async *from(index: number): AsyncGenerator<Part> {
    for (let i = index; ; ) {
      while (i < this.parts.length) yield this.parts[i++] as Part;
      if (this.isComplete) return this.#assertWhole();
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
  }

  async whole(): Promise<readonly Part[]> {
    while (!this.isComplete) await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    this.#assertWhole();
    return this.parts;
  }

  advance(): void {
    const before = this.#head;
    while (this.#head < this.#slots.length && this.#take(this.#slots[this.#head] as Slot)) this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    if (before !== this.#head || this.isComplete) this.#wake();
  }

  /** Moves a finished slot's parts into the list; false while its step is not over. */
  #take(slot: Slot): boolean {
    if ('part' in slot) return this.#add(slot.part, slot.origin);
    const { step, output, placed } = slot;
    if (!step.isOver) return false;
    if (step.outputs) for (const part of step.outputs[output] ?? []) this.#add(isPlaced(placed) ? place(part, placed) : part, part);
    else if (step.state === 'unknown') this.#add(new PendingPart(step, output, placed), step.part[output] as Part);
    else this.#error ??= new UpstreamFailed('a step failed');
    return true;
  }

  #add(part: Part, origin: Part): true {
    this.parts.push(part);
    this.origins.push(origin);
    return true;
  }

  #assertWhole(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

const isPlaced = ({ group, name }: Placed): boolean => group !== undefined || name !== undefined;

export function place(part: Part, { group, name }: Placed): Part {
  const { digest, form, bytes, facts } = part;
  const fileName = name ?? part.name;
  return { digest, form, bytes, facts, group: group ?? part.group, ...(fileName !== undefined && { name: fileName }) };
}
