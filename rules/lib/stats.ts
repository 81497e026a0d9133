import { byCodeUnit } from '../../src/base/names.ts';
import type { DocumentRow } from '../../src/rule/documents.ts';
import { withoutReturn } from './json-lines.ts';

/** What `<group>.stats.json` tells of documents. */
export interface DocumentStats {
  records: number;
  /** Of their lines, newlines included. */
  bytes: number;
  /** Unicode code points of their texts. */
  characters: number;
  /** Records that have the field, by its name. */
  readonly fields: Map<string, number>;
}

export const emptyStats = (): DocumentStats => ({ records: 0, bytes: 0, characters: 0, fields: new Map() });

const surrogate = /[\ud800-\udbff]/;
const pairs = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Unicode code points of a text: what other languages call its length. */
export function codePoints(text: string): number {
  // Byte lengths are counted natively: text in ASCII, the most, costs next to nothing.
  if (Buffer.byteLength(text) === text.length || !surrogate.test(text)) return text.length;
  return text.length - (text.match(pairs)?.length ?? 0);
}

const add = (fields: Map<string, number>, name: string, count: number): void => void fields.set(name, (fields.get(name) ?? 0) + count);

export function describeRows(rows: Iterable<DocumentRow>): DocumentStats {
  const stats = emptyStats();
  for (const row of rows) {
    const { raw } = row;
    stats.records++;
    stats.bytes += withoutReturn(row.line).length + 1;
    stats.characters += codePoints(raw['text'] as string);
    for (const name of Object.keys(raw)) add(stats.fields, name, 1);
  }
  return stats;
}

/** Adds `more` to `stats`. */
export function mergeStats(stats: DocumentStats, more: DocumentStats): void {
  stats.records += more.records;
  stats.bytes += more.bytes;
  stats.characters += more.characters;
  for (const [name, count] of more.fields) add(stats.fields, name, count);
}

const sortedFields = ({ fields }: DocumentStats): [string, number][] => [...fields].sort(([a], [b]) => byCodeUnit(a, b));

/** As a part between steps; fields as pairs, because an object would put `10` before `9` and lose `__proto__`. */
export function encodeStats(stats: DocumentStats): Buffer {
  return Buffer.from(JSON.stringify({ ...stats, fields: sortedFields(stats) }));
}

export function decodeStats(bytes: Buffer): DocumentStats {
  const stats = JSON.parse(bytes.toString('utf8')) as Omit<DocumentStats, 'fields'> & { fields: [string, number][] };
  return { ...stats, fields: new Map(stats.fields) };
}

/** As people read it: fields by code unit, two spaces, a newline at the end. */
export function printStats(stats: DocumentStats): string {
  const { records, bytes, characters } = stats;
  const counts = Object.entries({ records, bytes, characters }).map(([name, count]) => `  "${name}": ${count},\n`);
  const fields = sortedFields(stats).map(([name, count]) => `    ${JSON.stringify(name)}: ${count}`);
  const list = fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n  }`;
  return `{\n${counts.join('')}  "fields": ${list}\n}\n`;
}
