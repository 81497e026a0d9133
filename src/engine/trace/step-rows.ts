import { type Lineage, lineageOutput } from '../../rule/lineage.ts';
import { isMainAt } from '../lineage-table.ts';
import type { Archive } from './archive.ts';
import { type How, lessSure, type Piece, rowsMax, type TokenSpan } from './piece.ts';
import { firstAbove, type TracedStep, type TracedTarget } from './traced-target.ts';

/** Rows of several parts, numbered one part after another. */
class Run {
  readonly parts: readonly number[];
  readonly #ends: readonly number[];

  constructor(parts: readonly number[], counts: readonly number[]) {
    this.parts = parts;
    let end = 0;
    this.#ends = counts.map((count) => {
      end += count;
      return end;
    });
  }

  get count(): number {
    return this.#ends.at(-1) ?? 0;
  }

  startOf(part: number): number {
    const place = this.parts.indexOf(part);
    return place <= 0 ? 0 : (this.#ends[place - 1] as number);
  }

  /** The part that holds a row, and the row in it. */
  at(row: number): { part: number; row: number } | undefined {
    const place = this.#ends.findIndex((end) => end > row);
    return place < 0 ? undefined : { part: this.parts[place] as number, row: row - (place === 0 ? 0 : (this.#ends[place - 1] as number)) };
  }

  /** Rows `[from, to)` as a range in each part that holds some of them. */
  ranges(from: number, to: number): { part: number; from: number; to: number }[] {
    return this.parts.flatMap((part, i) => {
      const [start, end] = [i === 0 ? 0 : (this.#ends[i - 1] as number), this.#ends[i] as number];
      const range = { part, from: Math.max(from, start) - start, to: Math.min(to, end) - start };
      return range.from < range.to ? [range] : [];
    });
  }
}

/** What relates the rows of one output part to those of the inputs. */
type Relation =
  | { readonly by: 'lineage'; readonly lineage: Lineage }
  /** Both are lines of the same part. */
  | { readonly by: 'base'; readonly input: number }
  | { readonly by: 'order'; readonly how: How }
  | { readonly by: 'nothing' };

/** The rows of one step, in both directions. */
export class StepRows {
  readonly step: TracedStep;
  readonly #traced: TracedTarget;
  readonly #archive: Archive;
  /** Parts of the first output. */
  readonly #main: readonly number[];
  readonly #relations = new Map<number, Relation>();
  #spanned: { readonly read: Run; readonly made: Run } | undefined;
  #counted: { readonly read: Run; readonly made: Run } | undefined;

  constructor(traced: TracedTarget, step: TracedStep, archive: Archive) {
    this.#traced = traced;
    this.step = step;
    this.#archive = archive;
    this.#main = step.made.filter((part) => {
      const place = traced.place(part);
      return place.of === 'step' && isMainAt(traced.table, place.made);
    });
  }

  /** Where a piece of an output part comes from. */
  back(piece: Piece): Piece[] {
    const relation = this.#relationOf(piece.part);
    if (relation.by === 'lineage') return this.#backByLineage(piece, relation.lineage);
    if (relation.by === 'base') return [{ ...piece, part: relation.input }];
    const { read } = this.#counts;
    if (relation.by === 'nothing') return this.step.read.map((part) => within(piece, part));
    return this.#inOrder(piece, { relation, to: read, start: this.#counts.made.startOf(piece.part) });
  }

  /** What a piece of an input part became, in all outputs. */
  forward(piece: Piece): Piece[] {
    const found: Piece[] = [];
    for (const part of this.step.made) {
      const relation = this.#relationOf(part);
      if (relation.by === 'base') found.push(...(relation.input === piece.part ? this.#selected({ ...piece, part }) : []));
      else if (relation.by === 'nothing') found.push(within(piece, part));
    }
    const relation = this.#main.length === 0 ? undefined : this.#relationOf(this.#main[0] as number);
    if (relation?.by === 'lineage') found.push(...this.#forwardByLineage(piece, relation.lineage));
    else if (relation?.by === 'order') {
      found.push(...this.#inOrder(piece, { relation, to: this.#counts.made, start: this.#counts.read.startOf(piece.part) }));
    }
    return found;
  }

  #relationOf(part: number): Relation {
    let relation = this.#relations.get(part);
    if (!relation) {
      relation = this.#relate(part);
      this.#relations.set(part, relation);
    }
    return relation;
  }

  #relate(part: number): Relation {
    const isMain = this.#main.includes(part);
    const side = isMain ? this.#traced.side(this.step, lineageOutput) : undefined;
    const lineage = side === undefined ? undefined : this.#archive.lineage(side);
    if (lineage && lineage.spanEnds.length === this.#spans.made.count) return { by: 'lineage', lineage };
    const base = this.#traced.base(part);
    const input = base === undefined ? undefined : this.step.read.find((candidate) => this.#traced.base(candidate) === base);
    if (input !== undefined) return { by: 'base', input };
    return isMain ? this.#orderOf(part) : { by: 'nothing' };
  }

  /** Rows in order, if as many came out as went in. Sequences of tokens never say which samples they hold by their number. */
  #orderOf(part: number): Relation {
    const { read, made } = this.#counts;
    if (read.count === 0 || read.count !== made.count || this.#traced.form(part) === 'rows') return { by: 'nothing' };
    return { by: 'order', how: this.#traced.form(part) === 'lines' ? 'in-order' : 'exact' };
  }

  /** Rows as lineage counts them: of a view, those of its base. */
  get #spans() {
    this.#spanned ??= {
      read: new Run(this.step.read, this.step.read.length === 1 ? [rowsMax] : this.step.read.map((part) => this.#extent(part))),
      made: new Run(
        this.#main,
        this.#main.map((part) => this.#extent(part)),
      ),
    };
    return this.#spanned;
  }

  /** Rows as they stand in a part: of a view, the selected ones. */
  get #counts() {
    const runOf = (parts: readonly number[]): Run =>
      new Run(
        parts,
        parts.map((part) => this.#traced.rows(part) ?? 0),
      );
    this.#counted ??= { read: runOf(this.step.read), made: runOf(this.#main) };
    return this.#counted;
  }

  #extent(part: number): number {
    return this.#view(part)?.records ?? this.#traced.rows(part) ?? 0;
  }

  #view(part: number) {
    const digest = this.#traced.form(part) === 'view' ? this.#traced.digest(part) : undefined;
    return digest === undefined ? undefined : this.#archive.view(digest);
  }

  #selected(piece: Piece): Piece[] {
    const view = piece.how === 'within' ? undefined : this.#view(piece.part);
    return !view || view.placeOf(piece.from) !== undefined ? [piece] : [];
  }

  #inOrder(piece: Piece, { relation, to, start }: { relation: { readonly how: How }; to: Run; start: number }): Piece[] {
    const how = lessSure(piece.how, relation.how);
    const [first, last] = [this.#placeIn(piece.part, piece.from), this.#placeIn(piece.part, piece.to - 1)];
    if (first === undefined) return [];
    const ranges = to.ranges(start + first, start + (last ?? first) + 1);
    return ranges.map(({ part, from, to: end }) => ({
      ...piece,
      how,
      part,
      from: this.#rowAt(part, from),
      to: this.#rowAt(part, end - 1) + 1,
    }));
  }

  /** How many rows of a part come before this one; of a range the nearest there is. */
  #placeIn(part: number, row: number): number | undefined {
    const rows = (this.#traced.rows(part) ?? 0) - 1;
    if (this.#traced.form(part) !== 'view') return Math.min(row, rows);
    const view = this.#view(part);
    if (!view) return undefined;
    return row >= view.records ? rows : view.placeOf(row);
  }

  #rowAt(part: number, place: number): number {
    return this.#view(part)?.selected[place] ?? place;
  }

  #backByLineage(piece: Piece, lineage: Lineage): Piece[] {
    const { read, made } = this.#spans;
    const start = made.startOf(piece.part);
    if (piece.to - piece.from > 1) return this.#backRange(piece, { lineage, start, read });
    const row = start + piece.from;
    const found: Piece[] = [];
    let at = 0;
    const end = lineage.spanEnds[row] ?? 0;
    for (let i = row === 0 ? 0 : (lineage.spanEnds[row - 1] as number); i < end; i++) {
      const span = { at, start: lineage.starts[i] as number, length: lineage.lengths[i] as number, isLast: i === end - 1 };
      const input = read.at(lineage.inputRows[i] as number);
      const cut = overlap(span, piece);
      if (input && cut) found.push({ ...cut, part: input.part, from: input.row, to: input.row + 1, how: piece.how });
      at += span.length;
    }
    return found;
  }

  #backRange(piece: Piece, { lineage, start, read }: { lineage: Lineage; start: number; read: Run }): Piece[] {
    const { spanEnds, inputRows } = lineage;
    const [first, last] = [start + piece.from, Math.min(start + piece.to, spanEnds.length)];
    const rows = inputRows.subarray(first === 0 ? 0 : spanEnds[first - 1], spanEnds[last - 1]);
    if (rows.length === 0) return [];
    const [from, to] = boundsOf(rows);
    return read.ranges(from, to + 1).map((range) => ({ ...piece, ...range, how: 'within' as const }));
  }

  #forwardByLineage(piece: Piece, lineage: Lineage): Piece[] {
    const { read, made } = this.#spans;
    const first = read.startOf(piece.part) + piece.from;
    if (piece.to - piece.from > 1) return this.#forwardRange(piece, { lineage, first });
    const found: Piece[] = [];
    for (const { row, span } of spansOf(lineage, first, first + 1)) {
      const cut = overlapForward(span, piece);
      const output = cut && made.at(row);
      if (output) found.push({ ...cut, part: output.part, from: output.row, to: output.row + 1, how: piece.how });
    }
    return found;
  }

  #forwardRange(piece: Piece, { lineage, first }: { lineage: Lineage; first: number }): Piece[] {
    let [from, to] = [rowsMax, 0];
    for (const { row } of spansOf(lineage, first, first + piece.to - piece.from)) [from, to] = [Math.min(from, row), Math.max(to, row + 1)];
    return this.#spans.made.ranges(from, to).map((range) => ({ ...piece, ...range, how: 'within' as const }));
  }
}

/** Spans of the input rows `[from, to)`, with the row that each is in and its place there. */
function* spansOf({ spanEnds, inputRows, starts, lengths }: Lineage, from: number, to: number) {
  for (let i = 0; i < inputRows.length; i++) {
    const inputRow = inputRows[i] as number;
    if (inputRow < from || inputRow >= to) continue;
    const row = firstAbove(spanEnds, i);
    let at = 0;
    for (let k = row === 0 ? 0 : (spanEnds[row - 1] as number); k < i; k++) at += lengths[k] as number;
    yield { row, span: { at, start: starts[i] as number, length: lengths[i] as number, isLast: spanEnds[row] === i + 1 } };
  }
}

function boundsOf(rows: Uint32Array): [number, number] {
  let [from, to] = [rowsMax, 0];
  for (const row of rows) [from, to] = [Math.min(from, row), Math.max(to, row)];
  return [from, to];
}

const within = ({ at, tokens }: Piece, part: number): Piece => ({
  part,
  from: 0,
  to: rowsMax,
  how: 'within',
  ...(at !== undefined && { at }),
  ...(tokens && { tokens }),
});

type Cut = Pick<Piece, 'at' | 'tokens' | 'hasEnd'>;
/** A span stands at `at` of the row that it is part of. Tokens that are put behind a row, as an EOS, belong to its last span. */
type PlacedSpan = TokenSpan & { readonly at: number; readonly isLast: boolean };

/** Rows that are taken whole keep the tokens that were asked about. */
const asWhole = ({ at, tokens, hasEnd }: Cut): Cut => ({
  ...(at !== undefined && { at }),
  ...(tokens && { tokens }),
  ...(hasEnd !== undefined && { hasEnd }),
});

/** What a span and a piece have in common: as tokens of the span's input row, and where it begins at the other end. Undefined: nothing. */
function overlap(span: PlacedSpan, piece: Cut): Cut | undefined {
  if (span.length === 0) return asWhole(piece);
  const { at = 0, tokens = { start: 0, length: rowsMax } } = piece;
  const from = Math.max(span.at, tokens.start);
  const to = Math.min(span.isLast && piece.tokens ? rowsMax : span.at + span.length, tokens.start + tokens.length);
  if (from >= to) return undefined;
  return { at: at + from - tokens.start, tokens: { start: span.start + from - span.at, length: to - from } };
}

/** The other way: `tokens` are those of the line at the beginning, `at` is where they stand in the row that the piece is of. */
function overlapForward(span: PlacedSpan, piece: Cut): Cut | undefined {
  if (span.length === 0) return asWhole(piece);
  const { at = 0, tokens, hasEnd = true } = piece;
  const cutTo = tokens && !hasEnd ? at + tokens.length : rowsMax;
  const from = Math.max(span.start, at);
  const to = Math.min(span.start + span.length, cutTo);
  if (from >= to) return undefined;
  return {
    at: span.at + from - span.start,
    tokens: { start: (tokens?.start ?? 0) + from - at, length: to - from },
    hasEnd: span.isLast,
  };
}
