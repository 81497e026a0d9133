import { writeFileSync } from 'node:fs';
import { BuildError, systemCodeOf } from '../base/errors.ts';
import type { RemoteSummary } from '../base/events.ts';
import { newKeyPair } from '../cache/remote/signing.ts';
import type { ScopeUsage } from '../cache/remote/usage.ts';
import { outputNames } from '../execute/plan-run.ts';
import type { BuildRun } from './build-run.ts';
import type { Project } from './project.ts';
import type { BuildRemote } from './remote.ts';
import { shareTarget } from './remote-head.ts';
import { openRemote } from './remote-settings.ts';
import type { RemoteReason } from './remote-signer.ts';
import { survey } from './survey.ts';
import type { TargetBuild } from './target-build.ts';

/**
 * A target and the remote: `sent`, `fetched`; `there` already, or `here` already; `other`: one with other digests was there first;
 * `not-built` as the config stands; `failed`: some of its bytes could not be had.
 */
export interface MovedTarget {
  readonly target: string;
  readonly outcome: 'sent' | 'fetched' | 'there' | 'here' | 'other' | 'not-built' | 'failed';
}

export interface Moved {
  readonly targets: readonly MovedTarget[];
  readonly remote: RemoteSummary;
  /** Why some of them failed, where that is not for want of bytes here. */
  readonly trouble?: RemoteReason;
}

/** Where the result of a target lies, as the config and its sources stand. */
export interface HeldTarget {
  readonly target: string;
  readonly scope: string | undefined;
  readonly parts: number;
  readonly bytes: number;
}

export interface RemoteHoldings {
  readonly targets: readonly HeldTarget[];
  /** Undefined: the remote does not say. */
  readonly scopes: readonly ScopeUsage[] | undefined;
}

/** Looks at targets with a remote at hand; what is there of their results is known afterwards. */
function surveyWithRemote<T>(
  project: Project,
  targets: readonly string[],
  read: (run: BuildRun, remote: BuildRemote) => Promise<T>,
): Promise<T> {
  return survey(project, { targets, remote: true, requireRemote: true }, (run) => read(run, run.remote as BuildRemote));
}

/** Sends what was built here and is not there, whatever was known of it. @throws {BuildError} `no-remote` */
export function pushCache(project: Project, targets: readonly string[]): Promise<Moved> {
  return surveyWithRemote(project, targets, async (run, remote) => {
    remote.forget();
    const moved: MovedTarget[] = [];
    for (const build of run.targets.values()) moved.push({ target: build.target.name, outcome: await push(build, { run, remote }) });
    await remote.finish();
    return movedOf(moved, remote);
  });
}

function movedOf(targets: readonly MovedTarget[], remote: BuildRemote): Moved {
  const trouble = targets.some(({ outcome }) => outcome === 'failed') ? remote.trouble() : undefined;
  return { targets, remote: remote.summary(), ...(trouble && { trouble }) };
}

interface Ends {
  readonly run: BuildRun;
  readonly remote: BuildRemote;
}

async function push(build: TargetBuild, { run, remote }: Ends): Promise<MovedTarget['outcome']> {
  const key = build.keyNow();
  if (build.state !== 'kept' || key === undefined) return 'not-built';
  // What came from there: its steps, and bytes that nobody wanted here, need not be here.
  if (build.result?.origin && (await remote.holder(key)) !== undefined) return 'there';
  const plan = await build.replay().catch(() => undefined);
  // Some of its steps are not known here any more: they would have to run.
  if (!plan || plan.steps.some((step) => step.result === undefined)) return 'failed';
  const outcome = await shareTarget(build, { key, plan, run });
  return outcome === 'written' ? 'sent' : outcome === 'same' ? 'there' : outcome;
}

/** Brings what others have built: results, the bytes of all outputs, and what traces their rows. Nothing runs, nothing is published. @throws {BuildError} `no-remote` */
export function pullCache(project: Project, targets: readonly string[]): Promise<Moved> {
  return surveyWithRemote(project, targets, async (run, remote) => {
    const moved: MovedTarget[] = [];
    for (const build of run.targets.values()) moved.push({ target: build.target.name, outcome: await pull(build, { run, remote }) });
    return movedOf(moved, remote);
  });
}

async function pull(build: TargetBuild, { run, remote }: Ends): Promise<MovedTarget['outcome']> {
  if (build.state !== 'kept') return 'not-built';
  // What tells where rows come from: a table, and what steps left beside their outputs.
  if (build.result?.lineage !== undefined) await remote.fetch(build.result.lineage);
  const head = build.remoteHead();
  if (head !== undefined && build.result?.origin) await remote.packs(head, build.target.name);
  const parts = outputNames(build.target).flatMap((output) => build.parts(output));
  const isHere = (): boolean => parts.every(({ digest }) => run.locations.locate(digest));
  if (isHere()) return build.result?.origin ? 'fetched' : 'here';
  await remote.needAll(parts, build, run);
  return isHere() ? 'fetched' : 'failed';
}

/** What of the targets lies on the remote, and what else. @throws {BuildError} `no-remote` */
export function listRemote(project: Project, targets: readonly string[]): Promise<RemoteHoldings> {
  return surveyWithRemote(project, targets, async (run, remote) => {
    const held = [...run.targets.values()].map(async (build): Promise<HeldTarget> => {
      const key = build.state === 'kept' ? build.keyNow() : undefined;
      const outputs = Object.values(build.result?.outputs ?? {});
      return {
        target: build.target.name,
        scope: key && (await remote.holder(key)),
        parts: outputs.reduce((sum, { parts }) => sum + parts, 0),
        bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
      };
    });
    return { targets: await Promise.all(held), scopes: await remote.usage() };
  });
}

/** What lies on the remote, scope by scope. @throws {BuildError} `no-remote`; `remote-failed` when it does not say. */
export async function remoteUsage(project: Project): Promise<readonly ScopeUsage[]> {
  const remote = (await openRemote(project, { requireRemote: true })) as BuildRemote;
  try {
    const scopes = await remote.usage();
    if (scopes) return scopes;
    throw new BuildError('remote-failed', {
      message: 'the remote cache does not say what it holds',
      hint: 'dsbuild doctor --online tells why.',
    });
  } finally {
    remote.close();
  }
}

/**
 * Writes the secret key of a new pair into a file that only its owner may read.
 *
 * @returns the public key.
 * @throws {BuildError} `exists` if there is a file: a key that is lost can not be had back.
 */
export function newSigningKey(path: string): string {
  const { publicKey, secretKey } = newKeyPair();
  try {
    writeFileSync(path, `${secretKey}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
    throw new BuildError('exists', {
      message: 'there is a file already',
      where: path,
      hint: 'Name another one: dsbuild cache keygen <file>',
    });
  }
  return publicKey;
}
