import { BuildError, explained } from '../base/errors.ts';

/** What the shell is told. */
export const exitCode = {
  ok: 0,
  /** A step, a gate or a check failed; or dsbuild itself did. */
  failed: 1,
  /** The command line or the config is wrong: nothing was built. */
  usage: 2,
  /** `--check`: something is stale. */
  stale: 3,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

/** Errors of the surroundings, which another command line would not mend. */
const notUsage: ReadonlySet<string> = new Set([
  'damaged-run',
  'disk-error',
  'disk-full',
  'edited',
  'exists',
  'fetch-failed',
  'ledger',
  'list-failed',
  'listing-lost',
  'lock-conflict',
  'lock-would-change',
  'missing-bytes',
  'not-built',
  'no-permission',
  'no-runs',
  'no-times',
  'not-deterministic',
  'not-here',
  'over-source',
  'read-only',
  'record-timeout',
  'remote-failed',
  'source-changed',
  'source-changed-remotely',
  'source-changing',
  'source-gone',
  'source-unreadable',
  'system-error',
  'tokenizer-unreachable',
  'too-many-files',
  'worker-died',
]);

/** The exit code of an error that ended a command. */
export function exitCodeOf(thrown: unknown): number {
  const error = explained(thrown);
  if (!(error instanceof BuildError)) return exitCode.failed;
  if (error.code === 'interrupted') return exitCode.interrupted;
  return notUsage.has(error.code) ? exitCode.failed : exitCode.usage;
}
