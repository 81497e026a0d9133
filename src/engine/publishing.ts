import { join, relative } from 'node:path';
import { type Digest, digestHex } from '../base/digest.ts';
import { BuildError } from '../base/errors.ts';
import type { GraphTarget } from '../graph/graph.ts';
import { hasJournal } from '../publish/journal.ts';
import type { Publication, WantedFile } from '../publish/publish.ts';
import type { BuildRun } from './build-run.ts';
import { removeDamaged, sourceChanged } from './damage.ts';
import { shownError } from './shown.ts';
import type { TargetBuild } from './target-build.ts';

/** Where a target's files go: its `out`, or for a sample a folder apart from all real outputs. */
export function outOf(target: GraphTarget, run: BuildRun): string | undefined {
  if (target.out === undefined || run.options.sample === undefined) return target.out;
  return join(run.project.stateDir, 'sample', relative(run.project.root, target.out));
}

/** Targets that share a folder change it together, once all of them succeeded. What says that the others are there comes last. */
function byFolder(run: BuildRun): Map<string, TargetBuild[]> {
  const folders = new Map<string, TargetBuild[]>();
  for (const build of run.targets.values()) {
    const out = publishes(build.target) ? outOf(build.target, run) : undefined;
    if (out !== undefined) folders.set(out, [...(folders.get(out) ?? []), build]);
  }
  return folders;
}

const kindOf = ({ rule }: GraphTarget): string =>
  typeof rule.output === 'string' ? rule.output : (Object.values(rule.output)[0] as string);
const publishes = (target: GraphTarget): boolean => ['files', 'shards', 'index', 'table'].includes(kindOf(target));

/** All targets of the graph that publish into this folder: while one of them is not part of this build, its files stay as they are. */
function othersOf(run: BuildRun, out: string, builds: readonly TargetBuild[]): GraphTarget[] {
  const ours = new Set(builds.map(({ target }) => target));
  return run.project.graph.targets.filter((target) => !ours.has(target) && publishes(target) && outOf(target, run) === out);
}

/** What is wrong with one folder keeps no other from being published. */
const isOfOneFolder = (error: unknown): error is BuildError =>
  error instanceof BuildError && ['edited', 'bad-name', 'over-source'].includes(error.code);

/** @throws the first error, when all folders that could be published are; the others were emitted. */
export async function publishAll(run: BuildRun): Promise<void> {
  const failed: BuildError[] = [];
  for (const [out, builds] of byFolder(run)) {
    if (builds.some(({ state }) => state === 'failed' || state === 'building' || state === 'waiting')) continue;
    try {
      await publishFolder(run, out, builds);
    } catch (error) {
      if (!isOfOneFolder(error)) throw error;
      failed.push(error);
    }
  }
  const [first, ...others] = failed;
  for (const error of others) run.project.emit({ type: 'target-failed', target: '', error: shownError(error) });
  if (first) throw first;
}

async function publishFolder(run: BuildRun, out: string, builds: readonly TargetBuild[]): Promise<void> {
  const { project } = run;
  const wanted = digestHex(builds.map(({ target, result }) => `${target.name} ${result?.outputs.main?.digest}`).join('\n'));
  const partial = run.options.only !== undefined || othersOf(run, out, builds).length > 0;
  const folder = run.published.get(out);
  if (!partial && folder.wanted === wanted && folder.changed().length === 0 && !hasJournal(project.stateDir, out)) return;
  const claim = await project.claims.take(`out ${out}`, project.signal);
  try {
    const context = {
      stateDir: project.stateDir,
      store: project.store,
      locations: run.locations,
      need: (digest: string, target: string) => needWhole(run, digest, project.graph.get(target) as GraphTarget),
      warn: (warning: { code: string; message: string; where: string; hint?: string }) => run.warn(warning),
    };
    if (!run.distrusts) for (const build of builds) await run.remote?.needAll(build.parts('main'), build, run);
    const publication: Publication = {
      out,
      files: filesOf(builds),
      wanted,
      partial,
      isInPlace: (path) => isSource(run, path),
      overwrite: run.options.overwrite ?? false,
    };
    const { publish } = await import('../publish/publish.ts');
    const { written, removed, bytes } = await publish(context, publication);
    run.published.forget(out);
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

/** Nothing is published that was damaged while it lay in the store. */
async function needWhole(run: BuildRun, digest: Digest, target: GraphTarget): Promise<void> {
  const { locations } = run;
  const { store } = run.project;
  await run.needFor(digest, target);
  const location = store.isOwn(digest) ? undefined : locations.locate(digest);
  if (location && removeDamaged(run, digest, location)) await run.needFor(digest, target);
}

function filesOf(builds: readonly TargetBuild[]): WantedFile[] {
  const isLast = ({ target }: TargetBuild): number => (kindOf(target) === 'index' ? 1 : 0);
  const ordered = [...builds].sort((a, b) => isLast(a) - isLast(b));
  return ordered.flatMap((build) =>
    build.parts('main').flatMap(({ name, digest }) => (name === undefined ? [] : [{ name, digest, target: build.target.name }])),
  );
}

const isSource = (run: BuildRun, path: string): boolean => [...run.locals.values()].some((local) => local.fileIdentity(path) !== undefined);
