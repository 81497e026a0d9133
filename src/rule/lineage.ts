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
 * and its values as varints. Form 0: one value after the other. Form 1: pairs (value, how often). What is stored is small because it is
 * what can not be foreseen: spans of a row beyond the first; the step from one input row to the next, beyond 1; the distance of `starts`
 * from where the span before ended in the same row; lengths as they are. Signed values are zigzag.
 */
const magic = [0x44, 0x53, 0x4c, 0x4e];
const format = 1;
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
    const values = runs.length < plain.length ? runs : plain;
    const head = new Varints();
    head.push(values === runs ? 1 : 0);
    head.push(values.length);
    return [head.view(), values];
  }

  #endRun(): void {
    if (this.#run === 0) return;
    this.#runs.push(this.#last);
    this.#runs.push(this.#run);
    this.#run = 0;
  }
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

  /** The values of a column, one by one. */
  *column(count: number): Generator<number> {
    const isRuns = this.next() === 1;
    const end = this.next() + this.at;
    for (let seen = 0; seen < count; ) {
      const value = this.next();
      const times = isRuns ? this.next() : 1;
      if (times < 1 || seen + times > count) throw damaged();
      for (let i = 0; i < times; i++) yield value;
      seen += times;
    }
    if (this.at !== end) throw damaged();
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
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
  let i = 0;
  let row = -1;
  for (const step of reader.column(spans)) {
    row += unzigzag(step) + 1;
    inputRows[i++] = checked(row);
  }
  i = 0;
  for (const distance of reader.column(spans)) starts[i++] = distance;
  i = 0;
  for (const length of reader.column(spans)) lengths[i++] = checked(length);
  for (i = 0; i < spans; i++) {
    const before = i > 0 && inputRows[i] === inputRows[i - 1] ? (starts[i - 1] as number) + (lengths[i - 1] as number) : 0;
    starts[i] = checked(before + unzigzag(starts[i] as number));
  }
  return { inputRows, starts, lengths };
}
