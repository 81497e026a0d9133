import type { Layout } from './pack.ts';
import { RoomIndex } from './pack-rooms.ts';

/** What is placed as a whole: at most a row of one sample's tokens. In order of samples, and of their tokens. */
interface Pieces {
  readonly samples: Uint32Array;
  readonly starts: Uint32Array;
  readonly lengths: Uint32Array;
}

/**
 * Best-fit decreasing: samples longer than a row are cut into full rows and a rest; then all pieces, the longest first, go where they
 * leave the least room. Of equal pieces the earlier one is placed first, of rows with equal room the one that was filled last.
 *
 * What is read in order should not run from long to short, so rows stand in the order of the first sample that they hold a piece of, and
 * the pieces in a row in the order of their samples.
 *
 * Source: Ding et al. 2024, "Fewer Truncations Improve Language Modeling".
 */
export function bestFit(lengths: Uint32Array, maxSeqLength: number): Layout {
  const pieces = piecesOf(lengths, maxSeqLength);
  const { rowOf, rows } = inOrderOfSamples(placed(pieces.lengths, maxSeqLength));
  return { rows, spans: spansOf(pieces, { rowOf, rows, maxSeqLength }) };
}

function piecesOf(lengths: Uint32Array, maxSeqLength: number): Pieces {
  let count = 0;
  for (let sample = 0; sample < lengths.length; sample++) count += Math.ceil((lengths[sample] as number) / maxSeqLength);
  const pieces = { samples: new Uint32Array(count), starts: new Uint32Array(count), lengths: new Uint32Array(count) };
  let piece = 0;
  for (let sample = 0; sample < lengths.length; sample++) {
    const length = lengths[sample] as number;
    for (let start = 0; start < length; start += maxSeqLength, piece++) {
      pieces.samples[piece] = sample;
      pieces.starts[piece] = start;
      pieces.lengths[piece] = Math.min(maxSeqLength, length - start);
    }
  }
  return pieces;
}

/** The row of each piece, rows numbered as they were opened. */
function placed(lengths: Uint32Array, maxSeqLength: number): { rowOf: Uint32Array; rows: number } {
  const rowOf = new Uint32Array(lengths.length);
  const rooms = new RoomIndex(maxSeqLength, lengths.length);
  let rows = 0;
  for (const piece of longestFirst(lengths, maxSeqLength)) {
    const length = lengths[piece] as number;
    const room = rooms.leastFrom(length);
    const row = room < 0 ? rows++ : rooms.take(room);
    rowOf[piece] = row;
    const left = (room < 0 ? maxSeqLength : room) - length;
    if (left > 0) rooms.add(left, row);
  }
  return { rowOf, rows };
}

/** Indexes by length, falling; by index where lengths are equal (a counting sort). */
function longestFirst(lengths: Uint32Array, lengthMax: number): Uint32Array {
  const ends = new Uint32Array(lengthMax + 2);
  for (let i = 0; i < lengths.length; i++) ends[lengths[i] as number] = (ends[lengths[i] as number] as number) + 1;
  for (let length = lengthMax; length >= 0; length--) ends[length] = (ends[length] as number) + (ends[length + 1] as number);
  const order = new Uint32Array(lengths.length);
  for (let i = lengths.length - 1; i >= 0; i--) {
    const place = (ends[lengths[i] as number] as number) - 1;
    ends[lengths[i] as number] = place;
    order[place] = i;
  }
  return order;
}

function inOrderOfSamples({ rowOf, rows }: { rowOf: Uint32Array; rows: number }): { rowOf: Uint32Array; rows: number } {
  const numbers = new Int32Array(rows).fill(-1);
  let next = 0;
  const renumbered = rowOf.map((row) => {
    if (numbers[row] === -1) numbers[row] = next++;
    return numbers[row] as number;
  });
  return { rowOf: renumbered, rows };
}

function spansOf(
  pieces: Pieces,
  { rowOf, rows, maxSeqLength }: { rowOf: Uint32Array; rows: number; maxSeqLength: number },
): Layout['spans'] {
  const count = rowOf.length;
  const next = firstSpans(rowOf, rows);
  const filled = new Uint32Array(rows);
  const column = (): Uint32Array => new Uint32Array(count);
  const spans = { at: column(), lengths: column(), samples: column(), starts: column() };
  for (let piece = 0; piece < count; piece++) {
    const row = rowOf[piece] as number;
    const span = next[row] as number;
    const length = pieces.lengths[piece] as number;
    spans.at[span] = row * maxSeqLength + (filled[row] as number);
    spans.lengths[span] = length;
    spans.samples[span] = pieces.samples[piece] as number;
    spans.starts[span] = pieces.starts[piece] as number;
    next[row] = span + 1;
    filled[row] = (filled[row] as number) + length;
  }
  return spans;
}

/** Number of each row's first span. */
function firstSpans(rowOf: Uint32Array, rows: number): Uint32Array {
  const firsts = new Uint32Array(rows + 1);
  for (let piece = 0; piece < rowOf.length; piece++)
    firsts[(rowOf[piece] as number) + 1] = (firsts[(rowOf[piece] as number) + 1] as number) + 1;
  for (let row = 0; row < rows; row++) firsts[row + 1] = (firsts[row + 1] as number) + (firsts[row] as number);
  return firsts;
}
