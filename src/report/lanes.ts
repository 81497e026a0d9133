/** Something that took from `start` to `end`, in milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A span in the lane that it was put in; perhaps a little earlier than it was given. */
export interface Laid<T> {
  readonly of: T;
  readonly lane: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Small steps travel several to a message and are reported together, so that their times overlap though they ran one after another: such
 * a span may be moved so far back.
 */
const movedMsMax = 50;

/**
 * Puts spans side by side, as few lanes as do not overlap: what worker a step ran on is not known. From the last to the first, each in the
 * lane where it fits best. Cost: O(spans * lanes).
 */
export function layOut<T extends Span>(spans: readonly T[]): Laid<T>[] {
  const busyFrom: number[] = [];
  const last = [...spans].sort((a, b) => b.end - a.end || b.start - a.start);
  const laid = last.map((of) => {
    const lane = laneFor(of, busyFrom);
    const end = Math.min(of.end, busyFrom[lane] ?? of.end);
    const start = end - (of.end - of.start);
    busyFrom[lane] = start;
    return { of, lane, start, end };
  });
  return laid.reverse();
}

/** A lane that is free at its end, the one that is free least long behind it; else one that is free a moment earlier; else a new one. */
function laneFor({ start, end }: Span, busyFrom: readonly number[]): number {
  const nearest = (from: number, isBetter: (a: number, b: number) => boolean, fits: (at: number) => boolean): number => {
    let best = from;
    for (const [lane, at] of busyFrom.entries()) if (fits(at) && (best < 0 || isBetter(at, busyFrom[best] as number))) best = lane;
    return best;
  };
  const free = nearest(
    -1,
    (a, b) => a < b,
    (at) => at >= end,
  );
  if (free >= 0) return free;
  const isShort = end - start < movedMsMax;
  const moved = isShort
    ? nearest(
        -1,
        (a, b) => a > b,
        (at) => end - at <= movedMsMax,
      )
    : -1;
  return moved >= 0 ? moved : busyFrom.length;
}
