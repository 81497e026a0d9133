import { isUtf8 } from 'node:buffer';
import { digestHex } from '../base/digest.ts';
import { limits } from '../base/limits.ts';
import { fieldsOf } from './json-fields.ts';

/** A record as its source wrote it. */
export type RawRecord = Readonly<Record<string, unknown>>;

/** One document. Fields that dsbuild does not know are kept and come out again on export. */
export interface DocumentRecord {
  readonly id: string;
  readonly text: string;
  readonly source?: string;
  readonly category?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export type BadRecordReason =
  | 'not-json'
  | 'not-an-object'
  | 'no-text'
  | 'chat-record'
  | 'text-not-a-string'
  | 'id-not-a-string'
  | 'invalid-utf8'
  | 'too-long';

/** Why a line is no document. */
export class BadRecord {
  readonly reason: BadRecordReason;
  readonly detail: string;

  constructor(reason: BadRecordReason, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}

const newline = 10;
const bom = Buffer.from([0xef, 0xbb, 0xbf]);

/** Calls `visit` with every line's index and bytes, without its newline; a last line without newline counts. The bytes are a view, not a copy. */
export function* linesOf(bytes: Buffer): Generator<{ index: number; line: Buffer }> {
  let start = bytes.subarray(0, 3).equals(bom) ? 3 : 0;
  for (let index = 0; start < bytes.length; index++) {
    const end = bytes.indexOf(newline, start);
    const stop = end < 0 ? bytes.length : end;
    yield { index, line: bytes.subarray(start, stop) };
    start = stop + 1;
  }
}

/** A line of nothing but spaces, tabs and carriage returns is not a record. */
export function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}

const bad = (reason: BadRecordReason, detail: string): BadRecord => new BadRecord(reason, detail);

/** Parses a line into an object, or says why it is none. Never throws. */
export function parseRecord(line: Buffer): RawRecord | BadRecord {
  if (line.length > limits.recordBytesMax) return bad('too-long', `${line.length} bytes; at most ${limits.recordBytesMax} are read`);
  if (!isUtf8(line)) return bad('invalid-utf8', 'the line is not valid UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (error) {
    return bad('not-json', (error as Error).message);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return bad('not-an-object', `a record is a JSON object, this is ${typeof value}`);
  return value as RawRecord;
}

const chatFields = ['messages', 'conversations', 'conversation'];

/** What keeps a record from being a document, or undefined. */
export function badDocument(record: RawRecord): BadRecord | undefined {
  const chat = chatFields.find((field) => Array.isArray(record[field]));
  if (!Object.hasOwn(record, 'text')) {
    if (chat) return bad('chat-record', `has "${chat}" instead of "text"; give the source an "adapt" that joins its turns`);
    return bad('no-text', `has no "text"; its fields are ${Object.keys(record).slice(0, 8).join(', ') || 'none'}`);
  }
  if (typeof record.text !== 'string') return bad('text-not-a-string', `"text" is ${record.text === null ? 'null' : typeof record.text}`);
  if (record.id !== undefined && record.id !== null && typeof record.id !== 'string' && typeof record.id !== 'number') {
    return bad('id-not-a-string', `"id" is ${typeof record.id}`);
  }
  return undefined;
}

/**
 * A record's id as a text. One that is a number keeps its digits where JavaScript would round them, so that no two become one;
 * of a record that has none it is the digest of its bytes, so that it is the same wherever the record lies.
 */
export function idOf(record: RawRecord, line: Buffer): string {
  const { id } = record;
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'number') return Number.isSafeInteger(id) ? String(id) : (fieldsOf(line.toString('utf8')).get('id') ?? String(id));
  return digestHex(line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
}

/** One record of a documents part: parsed only when asked. */
export class DocumentRow {
  /** Position in the part that holds the bytes: its line, counted from 0. */
  readonly record: number;
  /** The record's bytes, without newline; valid until the part's bytes are let go. */
  readonly line: Buffer;

  constructor(record: number, line: Buffer) {
    this.record = record;
    this.line = line;
  }

  get raw(): RawRecord {
    return JSON.parse(this.line.toString('utf8')) as RawRecord;
  }

  get document(): DocumentRecord {
    const raw = this.raw;
    // Most records have an id that is a text: no copy of them is made.
    const id = idOf(raw, this.line);
    return (raw.id === id ? raw : { ...raw, id }) as DocumentRecord;
  }
}

/** Told which row somebody is at who goes through rows. */
export interface RowVisits {
  begins(record: number, bytes: number): void;
  /** There are no more of them, or nobody wants them. */
  ends(): void;
}

/** The rows of a `lines` part whose records are known to be good, or of those that `selected` names. */
export function* rowsOf(bytes: Buffer, selected?: (record: number) => boolean, visits?: RowVisits): Generator<DocumentRow> {
  try {
    for (const { index, line } of linesOf(bytes)) {
      if (!(selected ? selected(index) : !isBlank(line))) continue;
      visits?.begins(index, line.length);
      yield new DocumentRow(index, line);
    }
  } finally {
    visits?.ends();
  }
}
