import type { Form } from '../rule/part.ts';

/** The fact that says how many rows a part of a form has; the first that is there counts. */
const rowFacts: Readonly<Record<Form, readonly string[]>> = {
  lines: ['records'],
  view: ['records'],
  tokens: ['samples', 'records'],
  rows: ['rows'],
  file: ['sequences', 'rows', 'records'],
  side: [],
};

/**
 * Rows of a part: documents, samples of tokens, training sequences, records of a file. Undefined where it has none, as statistics.
 *
 * @param fact looks up one of the part's facts.
 */
export function rowCount(form: Form, fact: (name: string) => number | undefined): number | undefined {
  for (const name of rowFacts[form]) {
    const count = fact(name);
    if (count !== undefined) return count;
  }
  return undefined;
}
