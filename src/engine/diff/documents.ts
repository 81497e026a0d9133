import { digestHex } from '../../base/digest.ts';
import type { GraphTarget } from '../../graph/graph.ts';
import type { Part } from '../../rule/part.ts';
import { lineHash } from '../line-memos.ts';
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

export type Lost = Omit<Extract<DiffItem, { type: 'lost' }>, 'type' | 'target' | 'group'>;

export interface Compared {
  readonly changes?: Changes;
  readonly samples: readonly Sample[];
  readonly lost: readonly Lost[];
  /** Why it is not known which documents differ, or not of all of them. */
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
  if ([...gone, ...come].some(({ form }) => form !== 'lines' && form !== 'view')) return { samples: [], lost: [] };
  if ([...gone, ...come].reduce((sum, { bytes }) => sum + bytes, 0) > bytesMax) {
    return { samples: [], lost: [], note: 'too much differs to compare document by document' };
  }
  await from.lines.bring([...gone, ...come], from.target);
  await from.lines.remember(gone);
  const rows = onlyOnOneSide(gone, come, from.lines);
  if (!rows) return { samples: [], lost: [], note: unknownNote(come, from.lines) };
  return changesOf(rows, { gone, come, ...from });
}

function unknownNote(come: readonly Part[], lines: PartLines): string {
  const [first] = come.flatMap((part) => lines.startOf(part) ?? []);
  const from = first === undefined ? '' : `, from ${first.path}:${first.line} on,`;
  const which = come.some((part) => !lines.of(part)) ? 'what it is now' : 'what it was';
  return `which documents is not known: some of ${which}${from} is no longer on this machine (edited in place, or cleaned)`;
}

/** A line of a part. */
interface Row {
  readonly part: Part;
  readonly index: number;
  readonly hash: string;
}

interface Rows {
  readonly removed: readonly Row[];
  readonly added: readonly Row[];
}

/** Equal lines count as often as they stand on a side. Only hashes of lines are held, and one part at a time; undefined where those are not known. */
function onlyOnOneSide(gone: readonly Part[], come: readonly Part[], lines: PartLines): Rows | undefined {
  const left = new Map<string, number>();
  for (const part of gone) {
    const hashes = lines.hashes(part);
    if (!hashes) return undefined;
    for (const hash of hashes) left.set(hash, (left.get(hash) ?? 0) + 1);
  }
  const added: Row[] = [];
  for (const part of come) {
    const own = lines.of(part);
    if (!own) return undefined;
    for (const [index, hash] of own.map(lineHash).entries()) if (!take(left, hash)) added.push({ part, index, hash });
  }
  const removed = gone.flatMap((part) =>
    [...(lines.hashes(part) ?? []).entries()].flatMap(([index, hash]) => (take(left, hash) ? [{ part, index, hash }] : [])),
  );
  return { removed, added };
}

function take(left: Map<string, number>, hash: string): boolean {
  const count = left.get(hash) ?? 0;
  if (count > 0) left.set(hash, count - 1);
  return count > 0;
}

interface Beside {
  readonly gone: readonly Part[];
  readonly come: readonly Part[];
  readonly lines: PartLines;
  readonly samples: number;
}

/** A document whose id is on both sides was changed. What lost its text has no id any more: it counts as removed. */
function changesOf({ removed, added }: Rows, beside: Beside): Compared {
  const { lines, samples: samplesMax } = beside;
  const samples: Sample[] = [];
  const lost: Lost[] = [];
  const counts = { added: 0, removed: 0, changed: 0 };
  const shownOf = ({ part, index }: Row): Shown | undefined => {
    const line = lines.of(part)?.[index];
    return line && shown(line);
  };
  const byId = new Map<string, Row>();
  for (const row of removed) {
    const id = shownOf(row)?.id;
    if (id !== undefined) byId.set(id, row);
  }
  const changed = new Set<Row>();
  const tell = (is: Sample['is'], sample: () => Omit<Sample, 'is'>): void => {
    if (++counts[is] <= samplesMax) samples.push({ is, ...sample() });
  };
  for (const row of added) {
    const document = shownOf(row);
    // Of a file that is edited at this moment.
    if (!document) {
      counts.added++;
      continue;
    }
    const { id, text } = document;
    const before = byId.get(id);
    byId.delete(id);
    if (!before) tell('added', () => ({ id, text }));
    else {
      changed.add(before);
      tell('changed', () => {
        const was = shownOf(before);
        return { id, text, ...(was && { textBefore: was.text }) };
      });
    }
  }
  const goneWithText = removed.filter((row) => !changed.has(row));
  for (const row of goneWithText) {
    const document = shownOf(row);
    if (document) tell('removed', () => document);
    else if (++counts.removed <= samplesMax) lost.push(lostOf(row, beside));
  }
  const isLost = removed.some(({ part }) => !lines.of(part));
  return { changes: counts, samples, lost, ...(isLost && { note: lostNote }) };
}

const lostNote = 'what was removed or changed is told by its line only: its text is no longer on this machine (edited in place)';

/** A chunk that came in the place of one begins where that began, as long as it is the first of its file that changed. */
function lostOf({ part, index, hash }: Row, { gone, come, lines }: Beside): Lost {
  const at = gone.indexOf(part);
  const start = gone.length === come.length ? lines.startOf(come[at] as Part) : undefined;
  const isFirst = start !== undefined && come.slice(0, at).every((other) => lines.startOf(other)?.path !== start.path);
  const place = isFirst && { place: `${start.path}:${start.line + lines.lineInChunk(part, index)}` };
  return { hash: Buffer.from(hash, 'latin1').toString('hex'), ...place };
}
