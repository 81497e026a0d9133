import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { BuildError } from '../base/errors.ts';

/**
 * Where the rows of a step's main output come from, as columns. Rows are numbered over all parts of the output, in order: samples of a
 * `tokens` part, sequences of a `rows` part, lines of a `lines` part. Input rows are numbered in the same way over the parts of the step's
 * first input; those of a `lines` part are its lines, those of a `view` the lines of its base.
 */
export interface Lineage {
  /** Spans of row r: from `spanEnds[r - 1]` (0 for the first) to `spanEnds[r]`, in the order in which they stand in the row. */
  readonly spanEnds: Uint32Array;
  /** The input row of each span. */
  readonly inputRows: Uint32Array;
  /** Where in its input row a span begins, in tokens; 0 where rows are taken whole. */
  readonly starts: Uint32Array;
  /** Tokens of a span, those that were added behind it (an EOS) included; 0 where rows are taken whole. */
  readonly lengths: Uint32Array;
}

/** The output of a step that tells where its rows come from: a side part, never emitted, so that it is in no collection. */
export const lineageOutput = 'lineage';

/*
 * Bytes of a lineage: 'DSLN', format, rows, spans as varints, then four columns, each as a byte that names its form, its length in bytes
 * and its values as varints. Form 0: one value after the other. Form 1: pairs (value, how often). Form 2: form 0, deflated. What is stored is small because it is
 * what can not be foreseen: spans of a row beyond the first; the step from one input row to the next, beyond 1; the distance of `starts`
 * from where the span before ended in the same row; lengths as they are. Signed values are zigzag.
 */
const magic = [0x44, 0x53, 0x4c, 0x4e];
const format = 1;
const forms = { plain: 0, runs: 1, deflated: 2 } as const;
/** Fewer bytes are not worth the work. */
const deflatedBytesMin = 256;
/** A million equal rows take a few bytes, so a damaged count can not be told by the length of what follows. */
const countMax = 2 ** 26;

class Varints {
  #bytes = new Uint8Array(1 << 10);
  #length = 0;

  push(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow();
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** A column in the making: both forms are written, the smaller one is kept. */
class Column {
  readonly #plain = new Varints();
  readonly #runs = new Varints();
  #last = -1;
  #run = 0;

  push(value: number): void {
    this.#plain.push(value);
    if (value !== this.#last) this.#endRun();
    this.#last = value;
    this.#run++;
  }

  pieces(): Uint8Array[] {
    this.#endRun();
    const [plain, runs] = [this.#plain.view(), this.#runs.view()];
    const small = runs.length < plain.length ? columnOf(forms.runs, runs) : columnOf(forms.plain, plain);
    const bytes = Math.min(runs.length, plain.length);
    if (bytes < deflatedBytesMin) return small;
    const deflated = deflateRawSync(plain);
    if (deflated.length >= bytes) return small;
    return columnOf(forms.deflated, deflated);
  }

  #endRun(): void {
    if (this.#run === 0) return;
    this.#runs.push(this.#last);
    this.#runs.push(this.#run);
    this.#run = 0;
  }
}

function columnOf(form: number, values: Uint8Array): Uint8Array[] {
  const head = new Varints();
  head.push(form);
  head.push(values.length);
  return [head.view(), values];
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/** Collects the spans of rows, one row after another. */
export class LineageBuilder {
  readonly #counts = new Column();
  readonly #inputRows = new Column();
  readonly #starts = new Column();
  readonly #lengths = new Column();
  #rows = 0;
  #spans = 0;
  #spansOfRow = 0;
  #row = -1;
  #end = 0;

  /** Adds a span to the open row. */
  span(inputRow: number, start = 0, length = 0): void {
    this.#inputRows.push(zigzag(inputRow - this.#row - 1));
    this.#starts.push(zigzag(start - (inputRow === this.#row ? this.#end : 0)));
    this.#lengths.push(length);
    this.#row = inputRow;
    this.#end = start + length;
    this.#spans++;
    this.#spansOfRow++;
  }

  /** Ends the open row, which may have no span. */
  endRow(): void {
    this.#counts.push(zigzag(this.#spansOfRow - 1));
    this.#spansOfRow = 0;
    this.#rows++;
  }

  /** A row that is one input row as a whole. */
  whole(inputRow: number): void {
    this.span(inputRow);
    this.endRow();
  }

  finish(): Uint8Array {
    const head = new Varints();
    for (const byte of magic) head.push(byte);
    for (const value of [format, this.#rows, this.#spans]) head.push(value);
    const columns = [this.#counts, this.#inputRows, this.#starts, this.#lengths];
    return Buffer.concat([head.view(), ...columns.flatMap((column) => column.pieces())]);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined || factor > 2 ** 49) throw damaged();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** The values of a column. */
  column(count: number): Float64Array {
    const form = this.next();
    const end = this.next() + this.at;
    if (end > this.#bytes.length) throw damaged();
    const bytes = this.#bytes.subarray(this.at, end);
    this.at = end;
    if (form === forms.runs) return new Reader(bytes).#runs(count);
    if (form === forms.deflated) return new Reader(inflated(bytes, count)).#values(count);
    return new Reader(bytes).#values(count);
  }

  #values(count: number): Float64Array {
    if (count > this.#bytes.length) throw damaged();
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) values[i] = this.next();
    if (!this.isAtEnd) throw damaged();
    return values;
  }

  #runs(count: number): Float64Array {
    const values = new Float64Array(count);
    for (let seen = 0; seen < count; ) {
      const value = this.next();
      const times = this.next();
      if (times < 1 || seen + times > count) throw damaged();
      values.fill(value, seen, seen + times);
      seen += times;
    }
    if (!this.isAtEnd) throw damaged();
    return values;
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }
}

/** A value takes eight bytes at most, so that damaged bytes never become a flood. */
function inflated(bytes: Uint8Array, count: number): Uint8Array {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(1, 8 * count) });
  } catch {
    throw damaged();
  }
}

const damaged = (): BuildError => new BuildError('bad-part', { message: 'a lineage is damaged' });

function checked(value: number): number {
  if (value < 0 || value > 0xffffffff) throw damaged();
  return value;
}

/** @throws {BuildError} `bad-part` for anything that `LineageBuilder` can not have written. */
export function decodeLineage(bytes: Uint8Array): Lineage {
  const reader = new Reader(bytes);
  for (const byte of [...magic, format]) if (reader.next() !== byte) throw damaged();
  const [rows, spans] = [reader.next(), reader.next()];
  if (rows > countMax || spans > countMax) throw damaged();
  const spanEnds = new Uint32Array(rows);
  let end = 0;
  let row = 0;
  for (const value of reader.column(rows)) {
    end += unzigzag(value) + 1;
    spanEnds[row++] = checked(end);
  }
  if (end !== spans) throw damaged();
  const columns = spansOf(reader, spans);
  if (!reader.isAtEnd) throw damaged();
  return { spanEnds, ...columns };
}

function spansOf(reader: Reader, spans: number): Omit<Lineage, 'spanEnds'> {
  const [inputRows, starts, lengths] = [new Uint32Array(spans), new Uint32Array(spans), new Uint32Array(spans)];
  const [steps, distances, counts] = [reader.column(spans), reader.column(spans), reader.column(spans)];
  let row = -1;
  let end = 0;
  for (let i = 0; i < spans; i++) {
    const step = unzigzag(steps[i] as number) + 1;
    row += step;
    inputRows[i] = checked(row);
    starts[i] = checked((step === 0 ? end : 0) + unzigzag(distances[i] as number));
    lengths[i] = checked(counts[i] as number);
    end = (starts[i] as number) + (lengths[i] as number);
  }
  return { inputRows, starts, lengths };
}
