import { closeSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { openFile } from '../../base/files.ts';
import { byCodeUnit } from '../../base/names.ts';
import { BadRecord, isBlank, linesOf, parseRecord, type RawRecord } from '../../rule/documents.ts';

/** What the records of a source look like, as far as it takes to make documents of them. */
export type RecordShape =
  /** Documents already. */
  | { readonly is: 'text' }
  /** Turns of a chat in `field`; in each, who speaks and what is said. */
  | { readonly is: 'chat'; readonly field: string; readonly role: string; readonly content: string }
  /** Fields whose texts make the document, one after another. */
  | { readonly is: 'fields'; readonly fields: readonly string[] }
  /** Nothing that is known. */
  | { readonly is: 'other'; readonly fields: readonly string[] }
  /** No record was read: there is none, or the file is packed in a way that is not looked into here. */
  | { readonly is: 'unread' };

const headBytesMax = 256 * 1024;
const recordsMax = 20;

const chats = [
  { field: 'messages', role: 'role', content: 'content' },
  { field: 'conversations', role: 'from', content: 'value' },
  { field: 'conversations', role: 'role', content: 'content' },
  { field: 'conversation', role: 'role', content: 'content' },
] as const;

/** Fields of which a text can be made, the more telling ones first. Those in brackets may be absent. */
const texts: readonly (readonly string[])[] = [
  ['instruction', '[input]', 'output'],
  ['instruction', '[input]', 'response'],
  ['prompt', 'completion'],
  ['prompt', 'response'],
  ['prompt', 'chosen'],
  ['question', 'answer'],
  ['query', 'response'],
  ['content'],
  ['raw_content'],
  ['body'],
  ['article'],
  ['document'],
  ['markdown'],
  ['code'],
];

const nameOf = (field: string): string => field.replace(/^\[(.*)\]$/, '$1');

function shapeOfRecord(record: RawRecord): RecordShape {
  if (typeof record['text'] === 'string') return { is: 'text' };
  for (const chat of chats) {
    const turns = record[chat.field];
    const turn: unknown = Array.isArray(turns) ? turns[0] : undefined;
    if (typeof turn === 'object' && turn !== null && chat.role in turn && chat.content in turn) return { is: 'chat', ...chat };
  }
  const isThere = (field: string): boolean => field.startsWith('[') || typeof record[field] === 'string';
  const fields = texts.find((candidate) => candidate.every(isThere));
  if (fields) return { is: 'fields', fields: fields.map(nameOf) };
  return { is: 'other', fields: Object.keys(record).slice(0, 8) };
}

/** The first bytes of a file, unpacked as far as they go; undefined where they can not be read. */
function headOf(path: string): Buffer | undefined {
  try {
    const fd = openFile(path);
    try {
      const bytes = Buffer.alloc(headBytesMax);
      const head = bytes.subarray(0, readSync(fd, bytes, 0, headBytesMax, 0));
      if (path.endsWith('.zst')) return undefined;
      // A stream that is cut off gives what it has so far.
      return path.endsWith('.gz') ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function recordsAtHeadOf(path: string): RawRecord[] {
  const head = headOf(path);
  if (head === undefined) return [];
  const records: RawRecord[] = [];
  for (const { line } of linesOf(head)) {
    // The last line of a head that was cut off is no JSON, and falls out.
    const record = isBlank(line) ? undefined : parseRecord(line);
    if (record !== undefined && !(record instanceof BadRecord)) records.push(record);
    if (records.length === recordsMax) break;
  }
  return records;
}

/** The shape that most of the first records have, of the first, the middle and the last of these files. */
export function shapeOf(paths: readonly string[]): RecordShape {
  const looked = new Set([paths[0], paths[paths.length >> 1], paths.at(-1)].filter((path) => path !== undefined));
  const counts = new Map<string, { shape: RecordShape; count: number }>();
  for (const record of [...looked].flatMap(recordsAtHeadOf)) {
    const shape = shapeOfRecord(record);
    const name = shape.is === 'other' ? shape.is : JSON.stringify(shape);
    counts.set(name, { shape, count: (counts.get(name)?.count ?? 0) + 1 });
  }
  // What is known wins: a chat without turns beside others says nothing against chats.
  const isOther = ({ shape }: { shape: RecordShape }): number => Number(shape.is === 'other');
  const [most] = [...counts].sort(([a, m], [b, n]) => isOther(m) - isOther(n) || n.count - m.count || byCodeUnit(a, b));
  return most?.[1].shape ?? { is: 'unread' };
}

/** In the words of a line on the screen. */
export function shapeWords(shape: RecordShape): string {
  if (shape.is === 'text') return 'documents';
  if (shape.is === 'chat') return `chats (${shape.field})`;
  if (shape.is === 'fields') return `records of ${shape.fields.join(', ')}`;
  return shape.is === 'other' ? `records without a text (${shape.fields.join(', ') || 'no fields'})` : 'not looked into';
}
