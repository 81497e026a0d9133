import { messageOf } from '../src/base/errors.ts';
import type { DocumentRecord, DocumentRow } from '../src/rule/documents.ts';
import { uses } from '../src/rule/options.ts';
import type { Part } from '../src/rule/part.ts';
import { defineRule } from '../src/rule/rule.ts';
import { defineStep } from '../src/rule/step.ts';
import { callOf, keep, type UserFunction, type Verdict } from '../src/rule/user-function.ts';
import { selectRecords } from './lib/selection.ts';

interface NamedFilter {
  readonly name: string;
  readonly decide: (document: DocumentRecord) => unknown;
}

function isVerdict(value: unknown): value is Verdict {
  const { keep: kept, reason } = (value ?? {}) as { keep?: unknown; reason?: unknown };
  return kept === true || (kept === false && typeof reason === 'string' && reason !== '');
}

/** The first filter that drops decides. */
function verdictOn(row: DocumentRow, filters: readonly NamedFilter[]): Verdict | { threw: string } {
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

interface DecideParams {
  readonly use: readonly UserFunction[];
}

const decide = defineStep(
  'decide',
  { version: 1, outputs: ['kept', 'rejected'] },
  ({ chunk }: { chunk: Part }, { use }: DecideParams, io) => {
    const filters = use.map((one) => ({ name: one.definition, decide: callOf<DocumentRecord, unknown>(one) }));
    const kept: number[] = [];
    const rejected: number[] = [];
    for (const row of io.documents(chunk)) {
      const verdict = verdictOn(row, filters);
      if ('threw' in verdict) io.quarantine(chunk, row.record, 'filter-threw', verdict.threw);
      else if (verdict.keep) kept.push(row.record);
      else {
        rejected.push(row.record);
        io.drop(verdict.reason);
      }
    }
    selectRecords(io, chunk, { records: kept, output: 'kept' });
    selectRecords(io, chunk, { records: rejected, output: 'rejected' });
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
