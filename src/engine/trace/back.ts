import { resolve } from 'node:path';
import type { Digest } from '../../base/digest.ts';
import { identityOf, sameIdentity } from '../../base/files.ts';
import type { GraphInput } from '../../graph/graph.ts';
import { shownPath } from '../places.ts';
import type { SourcePlace, TraceItem } from './items.ts';
import { shownLine } from './lines.ts';
import { type Piece, rowsMax } from './piece.ts';
import type { TraceSession } from './session.ts';
import { StepRows } from './step-rows.ts';
import type { TracedTarget } from './traced-target.ts';

type SpanItem = Extract<TraceItem, { type: 'span' }>;

/** Lines that a piece went through on its way, nearest to the row first: the document as it was used. */
interface Seen {
  readonly digest: Digest;
  readonly row: number;
}

interface Walk {
  readonly traced: TracedTarget;
  readonly piece: Piece;
  readonly seen: readonly Seen[];
}

/** Follows pieces of a row back to where they came from. */
export class BackTrace {
  readonly #session: TraceSession;
  readonly #steps = new Map<string, StepRows>();
  readonly #checked = new Set<string>();

  constructor(session: TraceSession) {
    this.#session = session;
  }

  /** The origins of a piece, in the order in which they stand in it. */
  async *origins(traced: TracedTarget, piece: Piece): AsyncGenerator<SpanItem> {
    yield* joined(this.#walk({ traced, piece, seen: [] }));
  }

  async *#walk({ traced, piece, seen: before }: Walk): AsyncGenerator<SpanItem> {
    const seen = [...before, ...this.#seenAt(traced, piece)];
    const place = traced.place(piece.part);
    if (place.of === 'chunk') yield* this.#lines(traced, { piece, seen, chunk: place.chunk });
    else if (place.of === 'file') yield this.#packed(place.digest, { piece, seen });
    else if (place.of === 'input') yield* this.#upstream({ traced, piece, seen }, place);
    else {
      const rows = this.#stepOf(traced, place.step);
      if (rows.step.read.length === 0) yield this.#fetched(traced.digest(piece.part), { piece, seen });
      for (const origin of rows.back(piece)) yield* this.#walk({ traced, piece: origin, seen });
    }
  }

  #stepOf(traced: TracedTarget, step: number): StepRows {
    const name = `${traced.target.name} ${step}`;
    let rows = this.#steps.get(name);
    if (!rows) {
      rows = new StepRows(traced, traced.step(step), this.#session.archive);
      this.#steps.set(name, rows);
    }
    return rows;
  }

  #seenAt(traced: TracedTarget, { part, from, how }: Piece): Seen[] {
    const digest = how === 'within' ? undefined : traced.base(part);
    return digest === undefined ? [] : [{ digest, row: from }];
  }

  async *#upstream(walk: Walk, { input, place }: { input: number; place: number }): AsyncGenerator<SpanItem> {
    const { traced, piece } = walk;
    const { from, output } = traced.target.inputs[input] as GraphInput;
    const upstream = await this.#session.built(from);
    const there = upstream && this.#placeUpstream(traced, { upstream, output, input, place });
    const part = there === undefined ? undefined : upstream?.outputPart(output, there);
    if (upstream && part !== undefined) yield* this.#walk({ ...walk, traced: upstream, piece: { ...piece, part } });
    else yield spanOf(piece, { ...this.#textOf(walk.seen), note: `${from.name} no longer has what ${traced.target.name} was built from` });
  }

  /** The same place if the collection is the same; else where a part of the same content stands now. */
  #placeUpstream(traced: TracedTarget, at: { upstream: TracedTarget; output: string; input: number; place: number }): number | undefined {
    const now = at.upstream.built.outputs.get(at.output);
    if (!now || now.digest === traced.table.about.inputs[at.input]?.digest) return at.place;
    this.#session.notes.add(
      `${at.upstream.target.name} was built again after ${traced.target.name}; build ${traced.target.name} to bring it up to date`,
    );
    const digest = traced.inputParts(at.input)?.digest(at.place);
    return digest === undefined ? undefined : now.parts.placesOf(digest).next().value;
  }

  *#lines(traced: TracedTarget, { piece, seen, chunk }: { piece: Piece; seen: readonly Seen[]; chunk: number }): Generator<SpanItem> {
    const { sources } = traced.built;
    if (!sources) {
      yield spanOf(piece, { note: `the sources of ${traced.target.name} have changed since it was built` });
      return;
    }
    const { digest, segments } = sources.chunk(chunk);
    const shown = piece.how === 'within' ? {} : this.#textOf(seen, { digest, read: () => this.#session.archive.lines(digest, segments) });
    for (const { path, line, lineLast } of sources.linesBetween(chunk, piece.from, piece.to)) {
      const file = shownPath(this.#session.project.root, path);
      this.#noteIfChanged(path, traced);
      yield spanOf(piece, { source: { file, line, lineLast }, ...shown });
    }
  }

  #noteIfChanged(path: string, { built: { sources } }: TracedTarget): void {
    if (this.#checked.has(path)) return;
    this.#checked.add(path);
    const [was, now] = [sources?.identity(path), identityOf(path)];
    const file = shownPath(this.#session.project.root, path);
    if (!now) this.#session.notes.add(`${file} is gone: lines are those that it had when it was last read`);
    else if (was && !sameIdentity(was, now)) this.#session.notes.add(`${file} has changed since it was last read: lines are those of then`);
  }

  #packed(digest: Digest, { piece, seen }: { piece: Piece; seen: readonly Seen[] }): SpanItem {
    const { files, project, notes } = this.#session;
    const [path] = files.pathsOf(digest);
    if (path === undefined) return spanOf(piece, { ...this.#textOf(seen), note: 'the file that it was in is not known any more' });
    const file = shownPath(project.root, resolve(path));
    if (files.lastSeen(path)?.isSame === false) notes.add(`${file} has changed or is gone since it was last read: lines are those of then`);
    return spanOf(piece, { source: linesOfFile(file, piece), ...this.#textOf(seen) });
  }

  #fetched(digest: Digest | undefined, { piece, seen }: { piece: Piece; seen: readonly Seen[] }): SpanItem {
    const address = digest === undefined ? undefined : this.#session.addressOf(digest);
    if (address !== undefined) return spanOf(piece, { source: linesOfFile(address, piece), ...this.#textOf(seen) });
    return spanOf(piece, { ...this.#textOf(seen), note: 'it was made without any input' });
  }

  /** The document as it was used, if its bytes are still anywhere. */
  #textOf(
    seen: readonly Seen[],
    chunk?: { digest: Digest; read: () => ReturnType<TraceSession['archive']['lines']> },
  ): { id?: string; text?: string } {
    for (const { digest, row } of seen) {
      const lines = digest === chunk?.digest ? chunk.read() : this.#session.archive.lines(digest);
      const line = lines?.line(row);
      if (line) return shownLine(line);
    }
    return {};
  }
}

const linesOfFile = (file: string, { from, to }: Piece): SourcePlace => ({ file, line: from + 1, ...(to < rowsMax && { lineLast: to }) });

function spanOf({ at, tokens, how }: Piece, more: Partial<SpanItem>): SpanItem {
  return {
    type: 'span',
    ...(tokens && { tokens: { start: at ?? 0, length: tokens.length }, documentTokens: tokens }),
    how,
    ...more,
  };
}

/** Ranges of lines that follow one another are told as one. */
async function* joined(spans: AsyncIterable<SpanItem>): AsyncGenerator<SpanItem> {
  let open: SpanItem | undefined;
  for await (const span of spans) {
    const last = open?.source;
    const follows =
      open?.how === 'within' &&
      span.how === 'within' &&
      last &&
      span.source?.file === last.file &&
      span.source.line === (last.lineLast ?? 0) + 1;
    if (follows) open = { ...(open as SpanItem), source: { ...span.source, file: last.file, line: last.line } };
    else {
      if (open) yield open;
      open = span;
    }
  }
  if (open) yield open;
}
