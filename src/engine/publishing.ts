import { join, relative } from 'node:path';
import { isRemote } from '../base/address.ts';
import { type Digest, digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import type { Destination, WantedFile } from '../publish/destination.ts';
import type { BuildRun } from './build-run.ts';
import { sourceChanged } from './damage.ts';
import { destinationOf } from './destinations.ts';
import { shownError } from './shown.ts';
import type { TargetBuild } from './target-build.ts';

/** Where a target's files go: its `out`, or for a sample a folder apart from all real outputs. */
export function outOf(target: GraphTarget, run: BuildRun): string | undefined {
  if (target.out === undefined || run.options.sample === undefined) return target.out;
  const below = isRemote(target.out) ? target.out.replace('://', '/') : relative(run.project.root, target.out);
  return join(run.project.stateDir, 'sample', below);
}

/** Targets that share a folder change it together, once all of them succeeded. What says that the others are there comes last. */
export function publishedTogether(run: BuildRun): Map<string, TargetBuild[]> {
  const folders = new Map<string, TargetBuild[]>();
  for (const build of run.targets.values()) {
    const out = isPublished(build.target) ? outOf(build.target, run) : undefined;
    if (out !== undefined) folders.set(out, [...(folders.get(out) ?? []), build]);
  }
  return folders;
}

const kindOf = ({ rule }: GraphTarget): string =>
  typeof rule.output === 'string' ? rule.output : (Object.values(rule.output)[0] as string);
/** Whether it is of a kind that files come of. */
export const isPublished = (target: GraphTarget): boolean => ['files', 'shards', 'index', 'table'].includes(kindOf(target));

/** Whether these are all targets that publish there: while one is not part of this build, its files stay as they are. */
export function isWholeOut(run: BuildRun, out: string, builds: readonly TargetBuild[]): boolean {
  const ours = new Set(builds.map(({ target }) => target));
  const others = run.project.graph.targets.filter((target) => !ours.has(target) && isPublished(target) && outOf(target, run) === out);
  return run.options.only === undefined && others.length === 0;
}

/** What is wrong with one folder keeps no other from being published. */
const isOfOneFolder = (error: unknown): error is BuildError =>
  error instanceof BuildError &&
  ['edited', 'bad-name', 'over-source', 'publish-failed', 'publish-conflict', 'offline'].includes(error.code);

/** @throws the first error, when all folders that could be published are; the others were emitted. */
export async function publishAll(run: BuildRun): Promise<void> {
  const failed: BuildError[] = [];
  for (const [out, builds] of publishedTogether(run)) {
    if (builds.some(({ state }) => state === 'failed' || state === 'building' || state === 'waiting')) continue;
    try {
      await publishTo(run, out, builds);
    } catch (error) {
      if (!isOfOneFolder(error)) throw error;
      failed.push(error);
    }
  }
  const [first, ...others] = failed;
  for (const error of others) run.project.emit({ type: 'target-failed', target: '', error: shownError(error) });
  if (first) throw first;
}

/** Digest of all that these targets publish. */
export const wantedOf = (builds: readonly TargetBuild[]): Digest =>
  digestHex(builds.map(({ target, result }) => `${target.name} ${result?.outputs.main?.digest}`).join('\n'));

async function publishTo(run: BuildRun, out: string, builds: readonly TargetBuild[]): Promise<void> {
  const destination = await destinationOf(run, out);
  try {
    await bringUpToDate(run, destination, { out, builds });
  } finally {
    destination.close();
  }
}

interface Published {
  readonly out: string;
  readonly builds: readonly TargetBuild[];
}

async function bringUpToDate(run: BuildRun, destination: Destination, { out, builds }: Published): Promise<void> {
  const { project } = run;
  const wanted = wantedOf(builds);
  const partial = !isWholeOut(run, out, builds);
  if (!partial && (await destination.isUpToDate(wanted))) return;
  const claim = await project.claims.take(`out ${out}`, project.signal);
  try {
    // Behind a bucket's prefix most lies there already, and what does not is brought when it is sent.
    if (!isRemote(out) && !run.distrusts) for (const build of builds) await run.remote?.needAll(build.parts('main'), build, run);
    const { written, removed, bytes } = await destination.publish({
      out,
      files: filesOf(builds),
      wanted,
      partial,
      isInPlace: (place) => isSource(run, place),
      overwrite: run.options.overwrite ?? false,
    });
    if (written + removed > 0) {
      const target = (builds.at(-1) as TargetBuild).target.name;
      project.emit({ type: 'published', target, out, files: written, removed, bytes });
    }
  } catch (error) {
    throw error instanceof BuildError && error.code === 'part-mismatch' ? sourceChanged(run, [error.where ?? out]) : error;
  } finally {
    claim.release();
  }
}

/** What these targets publish, in the order in which it is written. */
export function filesOf(builds: readonly TargetBuild[]): WantedFile[] {
  const isLast = ({ target }: TargetBuild): boolean => kindOf(target) === 'index';
  const ordered = [...builds].sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
  return ordered.flatMap((build) =>
    build.parts('main').flatMap(({ name, digest, bytes }) => {
      return name === undefined ? [] : [{ name, digest, bytes, target: build.target.name, isLast: isLast(build) }];
    }),
  );
}

const isSource = (run: BuildRun, place: string): boolean =>
  isRemote(place)
    ? run.addresses.has(place) || run.listings.includes(place)
    : [...run.locals.values()].some((local) => local.fileIdentity(place) !== undefined);
