import { type DocumentRow, idOf } from '../../src/rule/documents.ts';
import { spansOf, withField } from '../../src/rule/json-fields.ts';
import { isId } from './document-fields.ts';
import { withoutReturn } from './json-lines.ts';

/**
 * A document's line with a number in its metadata, all else as it was written. A document whose id is the digest of its bytes keeps that id:
 * it is written down, as the bytes change.
 *
 * @returns undefined if the document has a `metadata` that is no object.
 */
export function withMetadata(row: DocumentRow, field: string, value: number): Buffer | undefined {
  const text = withoutReturn(row.line).toString('utf8');
  const spans = spansOf(text);
  const written = (name: string): string | undefined => {
    const span = spans.get(name);
    return span && text.slice(span.start, span.end);
  };
  const metadata = written('metadata') ?? 'null';
  if (metadata !== 'null' && !metadata.startsWith('{')) return undefined;
  const counted = withField(text, 'metadata', withField(metadata === 'null' ? '{}' : metadata, field, String(value)));
  return Buffer.from(isId(written('id')) ? counted : withField(counted, 'id', JSON.stringify(idOf({}, row.line))));
}
