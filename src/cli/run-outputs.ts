import type { RunOutputs } from '../engine/api.ts';
import type { RunRecord } from '../report/recorded.ts';

/** What a run left of the targets that it built or kept. */
export const outputsOf = ({ summary }: Pick<RunRecord, 'summary'>): RunOutputs =>
  Object.fromEntries(
    Object.entries(summary?.targets ?? {}).flatMap(([target, { collections }]) => (collections ? [[target, collections]] : [])),
  );

/** Whether a record says what its run left: it was not cut off, and is not of an early version. */
export const isComplete = (record: RunRecord): boolean => Object.keys(outputsOf(record)).length > 0;
