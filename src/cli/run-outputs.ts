import type { RunOutputs } from '../engine/api.ts';
import type { RunRecord } from '../report/recorded.ts';

/** What a run left of the targets that it built or kept. */
export const outputsOf = ({ summary }: Pick<RunRecord, 'summary'>): RunOutputs =>
  Object.fromEntries(
    Object.entries(summary?.targets ?? {}).flatMap(([target, { collections }]) => (collections ? [[target, collections]] : [])),
  );

type Part = Pick<RunRecord, 'summary'>;

/** Whether a run built all groups and all of their documents. */
export const isWhole = ({ summary }: Part): boolean => summary?.only === undefined && summary?.sample === undefined;

/** Whether two runs took the same part of the sources: else what differs is what one of them left out. */
export const isAlike = (a: Part, b: Part): boolean => a.summary?.only === b.summary?.only && a.summary?.sample === b.summary?.sample;

/** Whether a record says what its run left: it was not cut off, and is not of an early version. */
export const isComplete = (record: RunRecord): boolean => Object.keys(outputsOf(record)).length > 0;
