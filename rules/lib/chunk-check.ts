import { limits } from '../../src/base/limits.ts';
import { isBlank, linesOf } from '../../src/rule/documents.ts';
import { LineageBuilder, lineageOutput } from '../../src/rule/lineage.ts';
import { factOf, type Part } from '../../src/rule/part.ts';
import type { StepIo } from '../../src/rule/step.ts';
import type { UserFunction } from '../../src/rule/user-function.ts';
import { emptyBitmap, select } from '../../src/rule/view.ts';
import { type Checked, checkLine, judge, type LineCheck, lineCheckOf, type Rejected } from './adapt.ts';
import { withoutBom, withoutReturn } from './json-lines.ts';
import { codePoints } from './stats.ts';

const lineAndBom = Buffer.from([0x0a, 0xef, 0xbb, 0xbf]);

/** Counts a line that gives no document: left out by the adapter, or bad. */
export function reject(io: StepIo, at: { part: Part; record: number }, found: Rejected): void {
  if ('dropped' in found) io.drop(found.dropped);
  else io.quarantine(at.part, at.record, found.reason, found.detail);
}

/** A record longer than any that is read is a chunk of its own; a byte order mark and the line's end may come on top. */
const isTooLong = (part: Part): boolean => factOf(part, 'records') === 1 && part.bytes > limits.recordBytesMax + 5;

interface Chunk {
  readonly part: Part;
  readonly bytes: Buffer;
}

/** Reads a chunk, unless it is one record that is too long: that one is never held in memory. */
function readChunk(io: StepIo, part: Part): Chunk | undefined {
  if (!isTooLong(part)) return { part, bytes: io.bytes(part) };
  io.quarantine(part, 0, 'too-long', `${part.bytes} bytes; at most ${limits.recordBytesMax} are read`);
  return undefined;
}

interface GoodLine extends Checked {
  readonly index: number;
}

/** The good lines of a chunk of unchecked ones; counts blank and bad lines on its way. */
function* goodLines(io: StepIo, { part, bytes }: Chunk, check: LineCheck): Generator<GoodLine> {
  let lines = 0;
  for (const { index, line } of linesOf(bytes)) {
    lines++;
    const record = withoutBom(line);
    if (isBlank(record)) {
      io.count('blank');
      continue;
    }
    const found = judge(io, { part, record: index, line: record }, check);
    if ('line' in found) yield { index, line: found.line, text: found.text };
    else reject(io, { part, record: index }, found);
  }
  // Nothing but a byte order mark counts as a line.
  if (lines === 0) io.count('blank', factOf(part, 'records'));
}

/** Gives a selection of the chunk, or the chunk itself when all of it is good. */
function selectGood(io: StepIo, chunk: Chunk): void {
  const { part } = chunk;
  const lines = factOf(part, 'records');
  const bitmap = emptyBitmap(lines);
  let records = 0;
  let characters = 0;
  for (const { index, text } of goodLines(io, chunk, checkLine)) {
    records++;
    characters += codePoints(text);
    select(bitmap, index);
  }
  io.count('characters', characters);
  const facts = { records, u: factOf(part, 'u') };
  io.select(part, records === lines ? { all: true, facts } : { bitmap, records: lines, facts });
}

/** Leaves beside the records which line each was made of. */
export function writeLineage(io: StepIo, lineage: LineageBuilder): void {
  const side = io.create('side', lineageOutput);
  side.write(lineage.finish());
  side.close();
}

/** Writes what a check makes of each line as records of their own. */
function copyGood(io: StepIo, chunk: Chunk, check: LineCheck): void {
  const records = io.records();
  const lineage = new LineageBuilder();
  let characters = 0;
  for (const { index, line, text } of goodLines(io, chunk, check)) {
    records.write(withoutReturn(line));
    lineage.whole(index);
    characters += codePoints(text);
  }
  records.close();
  writeLineage(io, lineage);
  io.count('characters', characters);
}

/** Checks a chunk's lines. What is good is given as a view, or as the chunk itself: no text is copied. */
export function checkChunk(io: StepIo, part: Part): void {
  const chunk = readChunk(io, part);
  if (!chunk) return;
  // Small files share chunks, so that a file's byte order mark may stand before any record; a view can not leave it out.
  if (chunk.bytes.includes(lineAndBom)) copyGood(io, chunk, checkLine);
  else selectGood(io, chunk);
}

/** Writes what the user's adapter makes of a chunk's lines. */
export function adaptChunk(io: StepIo, part: Part, adapter: UserFunction): void {
  const chunk = readChunk(io, part);
  if (chunk) copyGood(io, chunk, lineCheckOf(adapter));
}
