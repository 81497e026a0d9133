import { type DocumentRow, idOf } from '../../src/rule/documents.ts';
import { fieldsOf, objectOf } from '../../src/rule/json-fields.ts';
import { withoutReturn } from './json-lines.ts';

/** Whether a written value is an id, and not one that is missing. */
export const isId = (json: string | undefined): boolean => json !== undefined && json !== 'null' && json !== '""';

/** The same fields with an id: the record's digest where it has none. */
function withId(fields: Map<string, string>, row: DocumentRow): Map<string, string> {
  const id = JSON.stringify(idOf({}, row.line));
  return fields.has('id') ? fields.set('id', id) : new Map([['id', id], ...fields]);
}

/** The fields of a document, name to JSON, as they were written. There always is an id. */
export function writtenFields(row: DocumentRow): Map<string, string> {
  const fields = fieldsOf(row.line.toString('utf8'));
  return isId(fields.get('id')) ? fields : withId(fields, row);
}

/**
 * A document as a line of JSON, without newline.
 *
 * @param chosen the fields to write, in this order, as far as the document has them; null for all, as they were written.
 */
export function renderDocument(row: DocumentRow, chosen: readonly string[] | null): Uint8Array {
  if (!chosen) {
    const fields = fieldsOf(row.line.toString('utf8'));
    return isId(fields.get('id')) ? withoutReturn(row.line) : Buffer.from(objectOf(withId(fields, row)));
  }
  const fields = writtenFields(row);
  return Buffer.from(objectOf(chosen.filter((name) => fields.has(name)).map((name) => [name, fields.get(name) as string] as const)));
}
