import { factOf, type Part } from '../../src/rule/part.ts';
import type { StepIo } from '../../src/rule/step.ts';
import { decodeView, emptyBitmap, select } from '../../src/rule/view.ts';

/** Lines of the part that holds the bytes: what a bitmap over them must cover. */
function linesOfBase(io: StepIo, part: Part, records: readonly number[]): number {
  if (part.form === 'view') return decodeView(io.bytes(part)).records;
  return Math.max(factOf(part, 'records'), (records.at(-1) ?? -1) + 1);
}

/** Gives some records of a documents part, named by their places in ascending order, as an output: the part itself when all stay. */
export function selectRecords(io: StepIo, part: Part, { records, output }: { records: readonly number[]; output: string }): void {
  const facts = { records: records.length, u: factOf(part, 'u') };
  if (records.length === factOf(part, 'records')) {
    io.select(part, { all: true, facts }, output);
    return;
  }
  const lines = linesOfBase(io, part, records);
  const bitmap = emptyBitmap(lines);
  for (const record of records) select(bitmap, record);
  io.select(part, { bitmap, records: lines, facts }, output);
}
