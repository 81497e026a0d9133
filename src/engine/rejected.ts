import type { Digest } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import { readPart } from '../cache/part-reader.ts';
import { undefinedIfUnknown } from '../execute/pending.ts';
import type { Part } from '../rule/part.ts';
import { decodeVerdicts, verdictsOutput } from '../rule/verdicts.ts';
import type { BuildRun } from './build-run.ts';
import type { TargetBuild } from './target-build.ts';

export const rejectedOutput = 'rejected';

/** Why each record of a part of rejected documents is there. */
export type ReasonOf = (record: number) => string | undefined;

/** For each part of a target's `rejected`, the reasons that the step beside it left. A side part that is gone tells nothing. */
export async function reasonsOfRejected(build: TargetBuild, run: BuildRun): Promise<(part: Part) => Promise<ReasonOf>> {
  const verdicts = new Map<Digest, Part>();
  for (const { outputs } of (await build.replay().catch(undefinedIfUnknown))?.steps ?? []) {
    const [rejected, known] = [outputs?.[rejectedOutput]?.[0], outputs?.[verdictsOutput]?.[0]];
    if (rejected && known) verdicts.set(rejected.digest, known);
  }
  return async ({ digest }) => {
    const part = verdicts.get(digest);
    if (part) await run.bring(part, build.target);
    const reasons = part && readVerdicts(part, run);
    return (record) => reasons?.get(record);
  };
}

function readVerdicts({ digest }: Part, run: BuildRun): ReadonlyMap<number, string> | undefined {
  const location = run.locations.locate(digest);
  try {
    return location && decodeVerdicts(readPart(digest, location));
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}
