import { messageOf } from '../src/base/errors.ts';
import type { DocumentRecord, DocumentRow } from '../src/rule/documents.ts';
import { uses } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { memoOutput } from '../src/rule/row-memo.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep, type StepIo } from '../src/rule/step.ts';
import { callOf, drop, keep, type UserFunction, type Verdict } from '../src/rule/user-function.ts';
import { decodeVerdicts, VerdictsBuilder, verdictsOutput } from '../src/rule/verdicts.ts';
import { type KnownRow, onlyPart, Recall, RowMemo } from './lib/row-memo.ts';
import { selectRecords } from './lib/selection.ts';

interface NamedFilter {
  readonly name: string;
  readonly decide: (document: DocumentRecord) => unknown;
}

interface Threw {
  readonly threw: string;
}

function isVerdict(value: unknown): value is Verdict {
  const { keep: kept, reason } = (value ?? {}) as { keep?: unknown; reason?: unknown };
  return kept === true || (kept === false && typeof reason === 'string' && reason !== '');
}

/** The first filter that drops decides. */
function verdictOn(row: DocumentRow, filters: readonly NamedFilter[]): Verdict | Threw {
  // Frozen, so that no filter sees what another one left behind.
  const document = Object.freeze(row.document);
  for (const { name, decide } of filters) {
    try {
      const verdict = decide(document);
      if (!isVerdict(verdict)) return { threw: `${name}: gave neither keep nor drop(reason)` };
      if (!verdict.keep) return verdict;
    } catch (error) {
      return { threw: `${name}: ${messageOf(error)}` };
    }
  }
  return keep;
}

/** What was decided on the documents of a chunk. */
class Decided {
  readonly memo = new RowMemo();
  readonly kept: number[] = [];
  readonly dropped: { record: number; reason: string }[] = [];
  readonly threw: { record: number; detail: string }[] = [];
  records = 0;
  reused = 0;

  add(record: number, verdict: Verdict | Threw): void {
    this.records++;
    if ('threw' in verdict) {
      this.threw.push({ record, detail: verdict.threw });
      return;
    }
    this.memo.keep(record);
    if (verdict.keep) this.kept.push(record);
    else this.dropped.push({ record, reason: verdict.reason });
  }

  reuse(record: number, verdict: Verdict): void {
    this.reused++;
    this.add(record, verdict);
  }
}

/** What an earlier run decided, by record: a reason, or none for those that it kept. */
type Reasons = ReadonlyMap<number, string>;

const verdictOf = ({ outcomes, record }: KnownRow<Reasons>): Verdict => {
  const reason = outcomes.get(record);
  return reason === undefined ? keep : drop(reason);
};

const isSame = (verdict: Verdict | Threw, known: Verdict): boolean =>
  !('threw' in verdict) && (verdict.keep ? known.keep : !known.keep && known.reason === verdict.reason);

/** Decides on all documents of a chunk; gives the number of a record on which an earlier run had decided otherwise. */
function decideAll(rows: Iterable<DocumentRow>, filters: readonly NamedFilter[], recall: Recall<Reasons> | undefined): Decided | number {
  const decided = new Decided();
  for (const row of rows) {
    decided.memo.hash(row.line);
    const known = recall?.find(decided.memo);
    if (known && !known.isSample) decided.reuse(row.record, verdictOf(known));
    else {
      const verdict = verdictOn(row, filters);
      if (known && !isSame(verdict, verdictOf(known))) return row.record;
      decided.add(row.record, verdict);
    }
  }
  return decided;
}

/** With what earlier runs know of the same documents, as long as that is what the filters say now. */
function decideWithRecall(io: StepIo, chunk: Part, filters: readonly NamedFilter[]): Decided {
  const recall = Recall.of(io, (run) => decodeVerdicts(io.bytes(onlyPart(run, verdictsOutput))));
  const first = decideAll(io.documents(chunk), filters, recall);
  const decided = typeof first === 'number' ? (decideAll(io.documents(chunk), filters, undefined) as Decided) : first;
  const { records, reused } = decided;
  if (recall) io.recalled({ records, reused, ...(typeof first === 'number' && { differs: first }) });
  return decided;
}

function side(io: StepIo, output: string, bytes: Uint8Array): void {
  const part = io.create('side', output);
  part.write(bytes);
  part.close();
}

interface DecideParams {
  readonly use: readonly UserFunction[];
}

const decide = defineStep(
  'decide',
  { version: 2, outputs: ['kept', 'rejected', verdictsOutput, memoOutput], rowPure: 'chunk' },
  ({ chunk }: { chunk: Part }, { use }: DecideParams, io) => {
    const filters = use.map((one) => ({ name: one.definition, decide: callOf<DocumentRecord, unknown>(one) }));
    const { kept, dropped, threw, memo } = decideWithRecall(io, chunk, filters);
    for (const { record, detail } of threw) io.quarantine(chunk, record, 'filter-threw', detail);
    const verdicts = new VerdictsBuilder();
    for (const { record, reason } of dropped) {
      io.drop(reason);
      verdicts.drop(record, reason);
    }
    selectRecords(io, chunk, { records: kept, output: 'kept' });
    selectRecords(io, chunk, { records: dropped.map(({ record }) => record), output: 'rejected' });
    side(io, verdictsOutput, verdicts.finish());
    side(io, memoOutput, memo.finish());
  },
);

/** Documents that all filters keep; those that one drops come out as `rejected`, counted by reason. No text is copied. */
export const filter = defineRule({
  name: 'filter',
  version: 1,
  doc: 'Keeps the documents that all filters keep; the others come out as .rejected, counted by reason.',
  inputs: { documents: 'documents' },
  output: { kept: 'documents', rejected: 'documents' },
  options: { use: uses().doc('One filter made by defineFilter, or several; the first that drops a document decides.') },
  steps: [decide],
  async plan({ documents }, { use }, build) {
    for await (const chunk of documents) {
      const decided = build.step(decide, { chunk }, { use });
      build.emit(decided.part.kept, { output: 'kept' });
      build.emit(decided.part.rejected, { output: 'rejected' });
    }
  },
});
