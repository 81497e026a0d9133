import { BuildError } from '../base/errors.ts';
import type { RemoteSummary } from '../base/events.ts';
import { s3AddressProblem } from '../base/s3-address.ts';
import type { Times } from '../s3/requests.ts';
import type { RemoteUse } from './api.ts';
import type { Project } from './project.ts';
import type { BuildRemote } from './remote.ts';
import type { RemoteReason } from './remote-signer.ts';

/** The remote cache of a build, as config, environment and flags name it. */
export interface RemoteSettings {
  readonly address: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly pathStyle: boolean | undefined;
  readonly readOnly: boolean;
  readonly times: Partial<Times> | undefined;
  /** After so many failures in a row it is said that it is down. */
  readonly failuresMax: number | undefined;
}

type Asking = RemoteUse & { readonly requireRemote?: boolean; readonly failuresMax?: number };

/** @throws {BuildError} `no-remote` when one is required and none is named; `bad-address`. */
export function remoteSettings({ config, env }: Pick<Project, 'config' | 'env'>, options: Asking): RemoteSettings | undefined {
  const { remote, endpoint, region, pathStyle, readOnly, timeoutSeconds } = config.cache ?? {};
  const address = env['DSBUILD_REMOTE'] || remote;
  const isWanted = (options.remote ?? true) && !options.offline;
  if (address && isWanted) {
    assertAddress(env['DSBUILD_REMOTE']);
    return {
      address,
      endpoint,
      region,
      pathStyle,
      readOnly: readOnly ?? false,
      times: timesOf(timeoutSeconds),
      failuresMax: options.failuresMax,
    };
  }
  if (!options.requireRemote) return undefined;
  throw new BuildError('no-remote', {
    message: isWanted ? 'a remote cache is required, but none is named' : 'a remote cache is required, and switched off at the same time',
    hint: "Name it in the config, cache: { remote: 's3://bucket/folder' }, or in DSBUILD_REMOTE.",
  });
}

/** What the config says was judged when it was read. @throws {BuildError} `bad-address` */
function assertAddress(given: string | undefined): void {
  const problem = given && s3AddressProblem(given);
  if (!problem) return;
  throw new BuildError('bad-address', {
    message: `DSBUILD_REMOTE ${problem}`,
    where: 'DSBUILD_REMOTE',
    hint: 'For example DSBUILD_REMOTE=s3://team-cache/dsbuild; keys and secrets have variables of their own, or a profile.',
  });
}

/** Why a build that requires its remote cache has failed, although nothing of its own did. */
export function remoteFailure({ state, failures, damaged }: RemoteSummary, trouble: RemoteReason | undefined): BuildError | undefined {
  if (failures + damaged === 0 && state !== 'down' && state !== 'full') return undefined;
  const why = failures > 0 && trouble ? ` (${trouble.message})` : '';
  const hint = 'What was built is whole. Build again when the remote answers, or without --require-remote.';
  return new BuildError('remote-failed', {
    message: `the remote cache is required, but it did not do all that was asked of it: ${failures} requests failed${why}, ${damaged} objects were damaged`,
    hint: failures > 0 && trouble?.hint ? `${trouble.hint} ${hint}` : hint,
  });
}

/** One figure for all that is waited for; a small object is given up after about twice as long. */
function timesOf(timeoutSeconds: number | undefined): Partial<Times> | undefined {
  if (timeoutSeconds === undefined) return undefined;
  const stallMs = timeoutSeconds * 1000;
  return { connectMs: stallMs, answerMs: stallMs, stallMs, giveUpMs: stallMs * 1.6, pauseMs: Math.min(200, stallMs / 25) };
}

/** The remote cache, where one is named: nothing of it is loaded elsewhere. */
export async function openRemote(project: Project, options: Asking): Promise<BuildRemote | undefined> {
  const settings = remoteSettings(project, options);
  if (!settings) return undefined;
  const { BuildRemote } = await import('./remote.ts');
  return new BuildRemote(project, settings);
}
