import type { BuildEvent } from '../base/events.ts';
import type { StepResult } from '../cache/results.ts';
import { type Part, sumOf } from '../rule/part.ts';

type Finished = Extract<BuildEvent, { type: 'step-finished' }>;

/** What a step did, in figures: part of what is told when it ends. */
export function stepEnd(
  read: readonly Part[],
  { parts, counters, tookMs }: StepResult,
): Omit<Finished, 'target' | 'step' | 'id' | 'how' | 'reused'> {
  return {
    type: 'step-finished',
    counters,
    bytesOut: parts.reduce((sum, part) => sum + part.bytes, 0),
    documents: sumOf(read, 'records'),
    tokens: sumOf(parts, 'tokens') || sumOf(read, 'tokens'),
    tookMs,
  };
}
