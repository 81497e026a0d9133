import { BuildError, messageOf } from '../base/errors.ts';
import type { BuildEvent } from '../base/events.ts';
import { UpstreamFailed } from '../execute/output-stream.ts';
import type { BuildRun } from './build-run.ts';
import { shownError } from './shown.ts';
import type { TargetBuild } from './target-build.ts';

/** How a target ended that was neither built nor kept. */
export type TargetEnd =
  | { readonly how: 'failed'; readonly error: unknown }
  /** It needs a target that failed, or that is blocked itself. */
  | { readonly how: 'blocked'; readonly by: string }
  /** Nothing of it failed, and nothing that it needs: the build ended before it did. */
  | { readonly how: 'stopped'; readonly because: string };

/** A disk that is full fails every step that writes: the first target that meets it tells it. */
const troublesOfAll: ReadonlySet<string> = new Set(['disk-full', 'disk-error', 'read-only', 'no-permission', 'too-many-files']);

/** The error of one of its own steps; what only waited for others is blocked, not failed. */
const stepErrorOf = ({ plan }: TargetBuild): unknown => plan?.steps.find(({ state }) => state === 'failed')?.error;

/** Whether a target that can not go on is itself the reason, rather than what it reads or whatever stopped the build. */
export function isOwnFailure(build: TargetBuild, run: BuildRun): boolean {
  const { error, plan } = build;
  if (run.isGivenUp(error)) return false;
  if (stepErrorOf(build) !== undefined) return true;
  if (run.isInterrupted || error instanceof UpstreamFailed || error === run.scheduler.stopped) return false;
  // What ended the plan of an input ends whoever reads from it.
  return !plan?.inputs.some((stream) => stream.error === error);
}

/** @param build one that can not go on; what it needs has ended, or has nothing left that could fail. */
export function endOf(build: TargetBuild, run: BuildRun): TargetEnd {
  if (isOwnFailure(build, run)) {
    const error = stepErrorOf(build) ?? build.error;
    return isToldAlready(error, run) ? { how: 'stopped', because: messageOf(error) } : { how: 'failed', error };
  }
  const by = build.inputBuilds().find(({ end }) => end !== undefined && end.how !== 'stopped');
  return by ? { how: 'blocked', by: by.target.name } : { how: 'stopped', because: becauseOf(run) };
}

function isToldAlready(error: unknown, { troublesTold }: BuildRun): boolean {
  if (!(error instanceof BuildError) || !troublesOfAll.has(error.code)) return false;
  const isTold = troublesTold.has(error.code);
  troublesTold.add(error.code);
  return isTold;
}

/** What stopped the build, in a few words. */
function becauseOf({ isInterrupted, scheduler, targets }: BuildRun): string {
  if (isInterrupted) return 'the build was interrupted';
  const failed = [...targets.values()].find(({ end }) => end?.how === 'failed' && end.error === scheduler.stopped);
  return failed ? `${failed.target.name} failed` : messageOf(scheduler.stopped);
}

/** Why a target that can not go on can not, as one sentence's end: `needs raw, which failed`. */
export function unbuiltBecause(build: TargetBuild): string {
  const { end } = build;
  if (end?.how !== 'blocked') return messageOf(build.error);
  const by = build.inputBuilds().find(({ target }) => target.name === end.by);
  return `needs ${end.by}, which ${by?.end?.how === 'failed' ? 'failed' : 'can not be built'}`;
}

export function eventOf(target: string, end: TargetEnd): BuildEvent {
  switch (end.how) {
    case 'failed':
      return { type: 'target-failed', target, error: shownError(end.error) };
    case 'blocked':
      return { type: 'target-blocked', target, by: end.by };
    case 'stopped':
      return { type: 'target-stopped', target, because: end.because };
  }
}
