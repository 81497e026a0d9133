import { messageOf } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';
import { BadRecord, badDocument, type DocumentRecord, parseRecord, type RawRecord } from '../../src/rule/documents.ts';
import type { Part } from '../../src/rule/part.ts';
import type { StepIo } from '../../src/rule/step.ts';
import { callOf, type UserFunction } from '../../src/rule/user-function.ts';

/** A document and the line that holds it. */
export interface Checked {
  readonly line: Buffer;
  readonly text: string;
}

/** Why a line gives no document. */
export type Rejected = { readonly dropped: string } | { readonly reason: string; readonly detail: string };

/** What becomes of a line that is not blank. */
export type LineCheck = (line: Buffer) => Checked | Rejected;

interface LineAt {
  readonly part: Part;
  /** Its number in the part, counted from 0. */
  readonly record: number;
  readonly line: Buffer;
}

/** What a check says of a record. A user's adapter may never come back from it. */
export function judge(io: StepIo, { part, record, line }: LineAt, check: LineCheck): Checked | Rejected {
  if (check === checkLine) return check(line);
  io.recordBegins(part, record, line.length);
  const found = check(line);
  io.recordEnds();
  return found;
}

/** The line itself, if it is a document. It is parsed once. */
export const checkLine: LineCheck = (line) => {
  const record = parseRecord(line);
  const bad = record instanceof BadRecord ? record : badDocument(record);
  return bad ?? { line, text: (record as DocumentRecord).text };
};

/** Reads lines through the user's adapter, or as they are if there is none. */
export function lineCheckOf(adapter: UserFunction | null): LineCheck {
  if (!adapter) return checkLine;
  const adapt = callOf<RawRecord, unknown>(adapter);
  return (line) => {
    const record = parseRecord(line);
    if (record instanceof BadRecord) return record;
    try {
      const adapted = adapt(record);
      return adapted === null ? { dropped: 'adapted-away' } : checkAdapted(adapted);
    } catch (error) {
      return { reason: 'adapter-threw', detail: messageOf(error) };
    }
  };
}

function checkAdapted(adapted: unknown): Checked | Rejected {
  if (typeof adapted !== 'object' || Array.isArray(adapted)) {
    return {
      reason: 'not-an-object',
      detail: `the adapter gave ${Array.isArray(adapted) ? 'a list' : typeof adapted}, neither a record nor null`,
    };
  }
  const bad = badDocument(adapted as RawRecord);
  if (bad) return { reason: bad.reason, detail: `from the adapter: ${bad.detail}` };
  const line = Buffer.from(JSON.stringify(adapted));
  if (line.length <= limits.recordBytesMax) return { line, text: (adapted as DocumentRecord).text };
  return { reason: 'too-long', detail: `the adapter made ${line.length} bytes; at most ${limits.recordBytesMax} are read` };
}
