import type { FileReport, Message } from './protocol.ts';

/** All that the runner heard of one file. */
export interface Heard {
  /** The test that began last. */
  current: string;
  faults: string[];
  skipReasons: string[];
  drained?: Extract<Message, { type: 'drained' }>;
}

interface Ending {
  heard: Heard;
  /** The process's exit code, or the signal that ended it. */
  how: string;
  ci: boolean;
}

type Outcome = Omit<FileReport, 'name' | 'output' | 'tookMs'>;

function endedEarly({ heard, how }: Ending): Outcome {
  // An ending that was explained already (time limit, error outside of a test) is one failure, not two.
  const early = heard.faults.length > 0 ? [] : [`its process ended (${how}) before its tests did, in: ${heard.current}`];
  const faults = [...heard.faults, ...early];
  return { passed: 0, failed: faults.length, skipped: 0, skipReasons: heard.skipReasons, faults, failures: '' };
}

/** Passing by accident is what this function is against: each line is a way in which uvu alone would have said "passed". */
function faultsOf({ heard, how, ci }: Ending, drained: NonNullable<Heard['drained']>): string[] {
  const { registered, total, only, uvuSkips } = drained.counts;
  const handed = only > 0 ? Math.max(total, registered) : total;
  return [
    ...heard.faults,
    ...(registered === 0 ? ['it has no tests'] : []),
    ...(handed < registered
      ? [`${registered - handed} of its ${registered} tests never ran: \`.run()\` is missing, or stands before them`]
      : []),
    ...(how === '0' || heard.faults.length > 0 ? [] : [`its process ended with ${how} although its tests passed`]),
    ...(ci && only > 0 ? ['`.only` is left in it'] : []),
    ...(ci && uvuSkips > 0 ? ['`.skip` is left in it'] : []),
    ...(ci ? heard.skipReasons.map((reason) => `skipped, but CI must run everything: ${reason}`) : []),
  ];
}

/** Counts and faults of one file. A file with any fault has `failed > 0`. */
export function reportOf(ending: Ending): Outcome {
  const { heard, ci } = ending;
  const { drained } = heard;
  if (!drained) return endedEarly(ending);
  const { total, passed, only, registered, uvuSkips, passedWithSkip } = drained.counts;
  const faults = faultsOf(ending, drained);
  const leftOut = only > 0 ? registered - total : 0;
  return {
    passed: passed - passedWithSkip,
    failed: total - passed + faults.length,
    skipped: ci ? 0 : heard.skipReasons.length + uvuSkips + leftOut,
    skipReasons: heard.skipReasons,
    faults,
    failures: drained.failures,
  };
}
