import type { GraphTarget } from '../../graph/graph.ts';
import { noPart } from '../lineage-table.ts';
import type { TraceItem } from './items.ts';
import { reasonOf } from './left-out.ts';
import type { Piece } from './piece.ts';
import { rowPlace } from './row-places.ts';
import type { TraceSession } from './session.ts';
import { StepRows } from './step-rows.ts';
import type { TracedTarget } from './traced-target.ts';

/** A piece that came to stand in a part of an output. */
interface Held {
  readonly output: string;
  readonly place: number;
  readonly piece: Piece;
}

/** Follows a line forward, target after target, each once. */
export class ForwardTrace {
  readonly #session: TraceSession;
  /** What has arrived at targets that were not looked at yet. */
  readonly #arrived = new Map<GraphTarget, Piece[]>();
  readonly #isBlank: boolean;

  /** @param isBlank whether the line is one of those that are no record. */
  constructor(session: TraceSession, isBlank: boolean) {
    this.#session = session;
    this.#isBlank = isBlank;
  }

  /** @param pieces by the target that reads them from its sources. */
  async *items(pieces: ReadonlyMap<GraphTarget, readonly Piece[]>): AsyncGenerator<TraceItem> {
    for (const [target, some] of pieces) this.#arrived.set(target, [...some]);
    for (const target of this.#session.project.graph.targets) {
      const arrived = this.#arrived.get(target);
      const traced = arrived && (await this.#session.built(target));
      if (!traced || !holdsRows(traced)) continue;
      const held = this.#through(traced, arrived);
      yield* this.#told(traced, { arrived, held });
      await this.#pass(traced, held);
    }
  }

  /** What becomes of pieces in the steps of a target. */
  #through(traced: TracedTarget, arrived: readonly Piece[]): Held[] {
    const held: Held[] = [];
    const open = [...arrived];
    for (let piece = open.shift(); piece; piece = open.shift()) {
      for (const { output, place } of traced.outputsWith(piece.part)) held.push({ output, place, piece });
      for (const step of traced.readersOf(piece.part)) open.push(...new StepRows(traced, step, this.#session.archive).forward(piece));
    }
    return held;
  }

  *#told(traced: TracedTarget, { arrived, held }: { arrived: readonly Piece[]; held: readonly Held[] }): Generator<TraceItem> {
    const [main] = traced.table.about.outputs;
    const ours = held.filter(({ output }) => output === main);
    for (const one of ours) yield this.#heldItem(traced, one);
    if (ours.length > 0 || arrived.some(({ how }) => how === 'within')) return;
    const other = held.find(({ output }) => output !== main);
    const known = { archive: this.#session.archive, isBlank: this.#isBlank, other: other?.output };
    yield { type: 'left-out', target: traced.target.name, ...reasonOf(traced, arrived, known) };
    if (other) yield this.#heldItem(traced, other);
  }

  #heldItem(traced: TracedTarget, { output, place, piece }: Held): TraceItem {
    const { tokens, at, how } = piece;
    const row = rowPlace({ traced, output, place, piece, session: this.#session });
    return {
      type: 'held',
      how,
      ...row,
      ...(tokens && at !== undefined && { tokens: { start: at, length: tokens.length }, documentTokens: tokens }),
    };
  }

  /** Hands what a target holds to those that read it. */
  async #pass(traced: TracedTarget, held: readonly Held[]): Promise<void> {
    for (const target of this.#session.project.graph.targets) {
      for (const [input, { from, output }] of target.inputs.entries()) {
        const ours = from === traced.target ? held.filter((one) => one.output === output) : [];
        const reader = ours.length > 0 ? await this.#session.built(target) : undefined;
        if (!reader) continue;
        for (const one of ours) this.#arrive(reader, { input, one, traced });
      }
    }
  }

  #arrive(reader: TracedTarget, { input, one, traced }: { input: number; one: Held; traced: TracedTarget }): void {
    const place = this.#placeIn(reader, { input, one, traced });
    if (place === undefined) return;
    const piece = { ...one.piece, part: reader.inputPart(input, place) };
    this.#arrived.set(reader.target, [...(this.#arrived.get(reader.target) ?? []), piece]);
  }

  /** Where the part stands among what the reader was built from, which may be older. */
  #placeIn(reader: TracedTarget, { input, one, traced }: { input: number; one: Held; traced: TracedTarget }): number | undefined {
    const now = traced.built.outputs.get(one.output);
    if (!now || now.digest === reader.table.about.inputs[input]?.digest) return one.place;
    this.#session.notes.add(
      `${traced.target.name} was built again after ${reader.target.name}; build ${reader.target.name} to bring it up to date`,
    );
    return reader.inputParts(input)?.placesOf(now.parts.digest(one.place)).next().value ?? undefined;
  }
}

/** A table of contents or statistics hold no rows: nothing is missing in them. */
const holdsRows = ({ table }: TracedTarget): boolean =>
  table.outputs.some((column) => column.some((part) => part !== noPart)) || table.steps.length > 0;

export const wholeLine = (part: number, record: number): Piece => ({ part, from: record, to: record + 1, how: 'exact' });
