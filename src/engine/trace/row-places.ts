import { publishedAt, shownPath } from '../places.ts';
import { rowCount } from '../row-count.ts';
import type { RowPlace } from './items.ts';
import { type Piece, rowsMax } from './piece.ts';
import type { TraceSession } from './session.ts';
import type { TracedTarget } from './traced-target.ts';

/** What the rows of a kind of target are called. */
const units: Readonly<Record<string, string>> = { documents: 'document', tokens: 'sample', shards: 'sequence' };

export function unitOf({ target: { rule } }: TracedTarget, output: string): string {
  const kind = typeof rule.output === 'string' ? rule.output : rule.output[output];
  return units[kind ?? ''] ?? 'row';
}

/** Rows of each part of an output. */
export function rowCounts(traced: TracedTarget, output: string): number[] {
  const parts = traced.built.outputs.get(output)?.parts;
  return Array.from({ length: parts?.count ?? 0 }, (_, i) => (parts && rowCount(parts.form(i), (fact) => parts.fact(i, fact))) ?? 0);
}

/** How many rows of a part come before a row that is numbered as lineage numbers it. */
function placeInPart({ part, row, traced, session }: { part: number; row: number; traced: TracedTarget; session: TraceSession }): number {
  const digest = traced.form(part) === 'view' ? traced.digest(part) : undefined;
  return (digest === undefined ? undefined : session.archive.view(digest)?.placeOf(row)) ?? row;
}

interface Standing {
  readonly traced: TracedTarget;
  readonly output: string;
  /** Place of the part in the output. */
  readonly place: number;
  readonly piece: Piece;
  readonly session: TraceSession;
}

/** Where a piece stands, as people count. */
export function rowPlace({ traced, output, place, piece, session }: Standing): RowPlace {
  const counts = rowCounts(traced, output);
  const before = counts.slice(0, place).reduce((sum, count) => sum + count, 0);
  const { target } = traced;
  const parts = traced.built.outputs.get(output)?.parts;
  const name = parts?.name(place);
  const [first, last] = piece.to === rowsMax || piece.to - piece.from > 1 ? rangeOf(piece, counts[place] ?? 0) : [piece.from, piece.from];
  const row = placeInPart({ part: piece.part, row: first, traced, session });
  const isMain = output === traced.table.about.outputs[0];
  return {
    target: isMain ? target.name : `${target.name}.${output}`,
    row: before + row,
    ...(last > first && { rowLast: before + last }),
    unit: unitOf(traced, output),
    group: parts?.group(place) ?? '',
    ...(name !== undefined &&
      target.out !== undefined && { file: shownPath(session.project.root, publishedAt(target.out, name)), fileRow: row }),
  };
}

const rangeOf = ({ from, to }: Piece, count: number): [number, number] => [from, Math.max(from, Math.min(to, count) - 1)];
