import { verdictsOutput } from '../../rule/verdicts.ts';
import type { Archive } from './archive.ts';
import type { Piece } from './piece.ts';
import type { TracedTarget } from './traced-target.ts';

interface Reason {
  readonly reason: string;
  readonly detail?: string;
}

const dropped = 'dropped:';

interface Known {
  readonly archive: Archive;
  /** Whether the line that was asked about is one of those that are no record. */
  readonly isBlank: boolean;
  /** Another output of the target, in which it is. */
  readonly other: string | undefined;
}

/** Why nothing of some pieces is in a target's main output. */
export function reasonOf(traced: TracedTarget, pieces: readonly Piece[], { archive, isBlank, other }: Known): Reason {
  const bad = quarantined(traced, pieces);
  if (bad) return bad;
  if (isBlank) return { reason: 'blank' };
  const verdict = verdictOn(traced, pieces, archive);
  const reasons = verdict === undefined ? countedReasons(traced) : [verdict];
  const detail = reasons.length === 0 ? {} : { detail: reasons.length === 1 ? (reasons[0] as string) : `one of ${reasons.join(', ')}` };
  if (other !== undefined || reasons.length > 0) return { reason: other ?? 'dropped', ...detail };
  return traced.target.rule.output === 'tokens' ? { reason: 'not-tokenized' } : { reason: 'left-out', detail: 'it has no row there' };
}

const countedReasons = ({ built: { figures } }: TracedTarget): string[] =>
  Object.keys(figures.counters).flatMap((name) => (name.startsWith(dropped) ? [name.slice(dropped.length)] : []));

/** What the step that dropped it noted. */
function verdictOn(traced: TracedTarget, pieces: readonly Piece[], archive: Archive): string | undefined {
  for (const { part, from } of pieces) {
    for (const step of traced.readersOf(part)) {
      const verdicts = traced.side(step, verdictsOutput);
      const reason = verdicts === undefined ? undefined : archive.verdicts(verdicts)?.get(from);
      if (reason !== undefined) return reason;
    }
  }
  return undefined;
}

/** Steps name a bad record by the part that they read, and by its number in there. */
function quarantined(traced: TracedTarget, pieces: readonly Piece[]): Reason | undefined {
  for (const { part, from } of pieces) {
    const digest = traced.digest(part);
    const bad = traced.built.figures.quarantined.find((one) => one.part === digest && one.record === from);
    if (bad) return { reason: `quarantined: ${bad.reason}`, detail: bad.detail };
  }
  return undefined;
}
