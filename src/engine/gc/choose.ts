import type { BlobKind, MarkedBlob } from './mark.ts';

export interface Wanted {
  /** What the store has, and is to have at most. */
  readonly bytes: number;
  readonly goalBytes: number;
  /** When the oldest build that lives began: what was used or written since stays. Infinite when none lives. */
  readonly youngMs: number;
}

/** Of what was last used by the same build, what is quickest to miss goes last. */
const ranks: Readonly<Record<BlobKind, number>> = { unreferenced: 0, intermediate: 0, output: 1, list: 2, external: 3 };

const usedMs = ({ blob, version }: MarkedBlob): number => version?.usedMs ?? blob.writtenMs;

/** What a collection may take: never data from outside, nor the lists by which a build sees that it has nothing to do. */
export function mayGo({ blob, kind, version }: MarkedBlob, youngMs: number): boolean {
  if (kind === 'external' || (kind === 'list' && version?.isCurrent)) return false;
  return blob.writtenMs < youngMs && (version?.usedMs ?? 0) < youngMs;
}

/**
 * What goes, so that the store has no more than is wanted: the least recently used first, of each build's targets intermediate bytes before
 * what is published, and their lists last.
 */
export function choose(marked: readonly MarkedBlob[], { bytes, goalBytes, youngMs }: Wanted): MarkedBlob[] {
  const candidates = marked.filter((one) => mayGo(one, youngMs));
  candidates.sort((a, b) => usedMs(a) - usedMs(b) || ranks[a.kind] - ranks[b.kind]);
  const chosen: MarkedBlob[] = [];
  let left = bytes;
  for (const one of candidates) {
    if (left <= goalBytes) break;
    chosen.push(one);
    left -= one.blob.bytes;
  }
  return chosen;
}
