import { digestHex } from '../../base/digest.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import type { Part } from '../../rule/part.ts';
import { shownLine } from '../trace/lines.ts';
import type { Changes, DiffItem } from './items.ts';
import type { PartLines } from './part-lines.ts';

/** Bytes of changed parts beyond which documents are not compared one by one. */
const bytesMax = 256 * 1024 * 1024;

interface Shown {
  readonly id: string;
  readonly text: string;
}

export type Sample = Omit<Extract<DiffItem, { type: 'sample' }>, 'type' | 'target' | 'group'>;

export interface Compared {
  readonly changes?: Changes;
  readonly samples: readonly Sample[];
  /** Why it is not known which documents differ. */
  readonly note?: string;
}

/** The parts of one side that the other has not got; equal ones count as often as they stand there. */
export function partsOnlyIn(these: readonly Part[], those: readonly Part[]): Part[] {
  const left = new Map<string, number>();
  for (const { digest } of those) left.set(digest, (left.get(digest) ?? 0) + 1);
  return these.filter(({ digest }) => {
    const count = left.get(digest) ?? 0;
    left.set(digest, count - 1);
    return count <= 0;
  });
}

const shown = (line: Buffer): Shown => {
  const { id, text } = shownLine(line);
  return { id: id ?? digestHex(line), text };
};

/**
 * Which documents differ between the parts that only one side has: by their lines, so that a document that only moved is no change; by id,
 * where it has another text.
 */
export async function compareDocuments(
  gone: readonly Part[],
  come: readonly Part[],
  from: { lines: PartLines; samples: number; target: GraphTarget | undefined },
): Promise<Compared> {
  if ([...gone, ...come].some(({ form }) => form !== 'lines' && form !== 'view')) return { samples: [] };
  if ([...gone, ...come].reduce((sum, { bytes }) => sum + bytes, 0) > bytesMax) {
    return { samples: [], note: 'too much differs to compare document by document' };
  }
  await from.lines.bring([...gone, ...come], from.target);
  const before = linesIn(gone, from.lines);
  const after = linesIn(come, from.lines);
  if (!before || !after) {
    const which = before ? 'what it is now' : 'what it was';
    return {
      samples: [],
      note: `which documents is not known: some of ${which} is no longer on this machine (edited in place, or cleaned)`,
    };
  }
  return changesOf(onlyOnOneSide(before, after), from.samples);
}

function linesIn(parts: readonly Part[], lines: PartLines): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (const part of parts) {
    const all = lines.of(part);
    if (!all) return undefined;
    for (const line of all) found.push(line);
  }
  return found;
}

interface Sides {
  readonly removed: readonly Shown[];
  readonly added: readonly Shown[];
}

/** Equal lines count as often as they stand on a side. */
function onlyOnOneSide(before: readonly Buffer[], after: readonly Buffer[]): Sides {
  const left = new Map<string, Buffer[]>();
  for (const line of before) {
    const digest = digestHex(line);
    const known = left.get(digest);
    if (known) known.push(line);
    else left.set(digest, [line]);
  }
  const added = after.filter((line) => left.get(digestHex(line))?.pop() === undefined);
  return { removed: [...left.values()].flat().map(shown), added: added.map(shown) };
}

/** A document whose id is on both sides was changed. */
function changesOf({ removed, added }: Sides, samplesMax: number): Compared {
  const byId = new Map(removed.map((document) => [document.id, document]));
  const samples: Sample[] = [];
  const counts = { added: 0, removed: 0, changed: 0 };
  const tell = (sample: Sample): void => {
    if (++counts[sample.is] <= samplesMax) samples.push(sample);
  };
  for (const { id, text } of added) {
    const before = byId.get(id);
    byId.delete(id);
    tell(before ? { is: 'changed', id, text, textBefore: before.text } : { is: 'added', id, text });
  }
  const changed = new Set(removed.filter(({ id }) => !byId.has(id)));
  for (const document of removed) if (!changed.has(document)) tell({ is: 'removed', ...document });
  return { changes: counts, samples };
}
